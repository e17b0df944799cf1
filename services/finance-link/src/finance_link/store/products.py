from collections.abc import Sequence
from typing import Any

from chassis.database import Database, Transaction
from finance_link.domain.products import Product


def _read(row: Any) -> Product:
    return Product.model_validate(dict(row))


async def save_product(tx: Transaction, product: Product) -> None:
    await tx.execute(
        "INSERT INTO products (bank_id, product_id, name_zh, name_en, amount_max, term_months_max, annual_rate_from,"
        " annual_rate_to, programmes, is_open, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (bank_id, product_id) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en,"
        " amount_max = excluded.amount_max, term_months_max = excluded.term_months_max,"
        " annual_rate_from = excluded.annual_rate_from, annual_rate_to = excluded.annual_rate_to,"
        " programmes = excluded.programmes, is_open = excluded.is_open, changed_at = excluded.changed_at",
        product.bank_id, product.product_id, product.name_zh, product.name_en, product.amount_max,
        product.term_months_max, product.annual_rate_from, product.annual_rate_to, product.programmes,
        product.is_open, tx.clock.now(),
    )  # fmt: skip


async def find_product(reader: Transaction | Database, bank_id: str, product_id: str) -> Product | None:
    row = await reader.fetchrow(
        "SELECT * FROM products WHERE bank_id = $1 AND product_id = $2", bank_id, product_id
    )
    return _read(row) if row else None


async def list_products_of(tx: Transaction, bank_id: str) -> list[Product]:
    return [_read(row) for row in await tx.fetch("SELECT * FROM products WHERE bank_id = $1", bank_id)]


async def has_products(tx: Transaction, bank_id: str) -> bool:
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM products WHERE bank_id = $1)", bank_id))


async def page_products(
    db: Database,
    *,
    after: tuple[str, str] | None,
    limit: int,
    bank_id: str | None,
    programme: str | None,
    is_open: bool | None,
) -> Sequence[Product]:
    """In the order of bank and product, `limit + 1` at most."""
    bank_after, product_after = after or ("", "")
    rows = await db.fetch(
        "SELECT * FROM products WHERE (bank_id, product_id) > ($1, $2) AND ($4::text IS NULL OR bank_id = $4)"
        " AND ($5::text IS NULL OR programmes = '{}' OR $5 = ANY(programmes))"
        " AND ($6::boolean IS NULL OR is_open = $6) ORDER BY bank_id, product_id LIMIT $3 + 1",
        bank_after, product_after, limit, bank_id, programme, is_open,
    )  # fmt: skip
    return [_read(row) for row in rows]
