"""Statements that write whole rows, made where a module is imported from the names of its columns."""

from collections.abc import Sequence


def insert(table: str, columns: Sequence[str]) -> str:
    """`INSERT INTO table (a, b) VALUES ($1, $2)`."""
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of ours


def upsert(table: str, columns: Sequence[str]) -> str:
    """The same, and where the first column is known already, the others take its row's place."""
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return f"{insert(table, columns)} ON CONFLICT ({columns[0]}) DO UPDATE SET {replaced}"
