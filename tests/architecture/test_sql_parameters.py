"""What a request or an event brings reaches PostgreSQL as parameters only: every statement is a text of ours."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = (
    "execute",
    "executemany",
    "fetch",
    "fetchrow",
    "fetchval",
    "fetchmany",
    "cursor",
    "stream",
    "prepare",
)
CONSTANT = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*")
AT_IMPORT = {"join", "enumerate", "format", "range", "dedent", "strip", "dict", "len", "insert", "upsert"}

# (file, the piece as written, or * for all of the file): why it may stand in a statement.
REVIEWED = {
    ("chassis/src/chassis/migrate.py", "migration.sql"): "the migration itself, a file of the release",
    ("chassis/src/chassis/testing.py", "*"): "databases of tests, named by us: random digits and a hash",
    ("huiqi/src/huiqi/promises_effects.py", "*"): "tables and columns as pg_catalog names them, quoted",
    (
        "chassis/src/chassis/listing.py",
        "*",
    ): "conditions by name, written where modules are imported: see test_lists",
}


@dataclass
class Source:
    """One module: where it is, its constants, and of each function what its names were given."""

    place: str
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)
    calls: list[tuple["Function", ast.Call]] = field(default_factory=list)

    @classmethod
    def of(cls, place: str, text: str) -> "Source":
        source = cls(place, ast.parse(text))
        source.calls = list(calls_in(source.tree, None))
        for node in source.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        source.constants[target.id] = node.value
        return source


Function = ast.FunctionDef | ast.AsyncFunctionDef


def calls_in(node: ast.AST, within: Function | None) -> Iterator[tuple[Function, ast.Call]]:
    """Every call, with the innermost function that it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and within is not None:
            yield within, child
        yield from calls_in(child, child if isinstance(child, Function) else within)


Sinks = dict[str, tuple[int, str]]


def arguments_of(function: Function) -> list[str]:
    given = function.args
    return [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def given_to(function: Function, name: str) -> list[ast.expr]:
    found: list[ast.expr] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [node.value for t in targets if isinstance(t, ast.Name) and t.id == name]
    return found


def parts_of(part: ast.expr) -> list[ast.expr] | None:
    """What a text is put together from; None where it comes from elsewhere."""
    match part:
        case ast.JoinedStr(values=inside):
            return [piece.value if isinstance(piece, ast.FormattedValue) else piece for piece in inside]
        case ast.Tuple(elts=inside) | ast.List(elts=inside):
            return inside
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return [left, right]
        case ast.Call(func=ast.Attribute(value=text, attr="format" | "join"), args=inside, keywords=named):
            return [text, *inside, *(keyword.value for keyword in named)]
        case ast.Subscript(value=ast.Name(id=name)) | ast.Attribute(attr=name) if CONSTANT.fullmatch(name):
            return []
        case _:
            return [] if isinstance(part, ast.Constant) or counts_constants(part) else None


def counts_constants(part: ast.expr) -> bool:
    """A list of pieces, one for each of our constants, as in `f"${n}" for n in range(len(_COLUMNS))`."""
    if not isinstance(part, ast.ListComp | ast.GeneratorExp):
        return False
    names = [node for node in ast.walk(part) if isinstance(node, ast.Name)]
    bound = AT_IMPORT | {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return is_made_at_import(part) and all(n.id in bound or CONSTANT.fullmatch(n.id) for n in names)


class Check:
    """The pieces of statements in a source that are no texts of ours."""

    def __init__(self, source: Source, sinks: Sinks) -> None:
        self.source = source
        self.sinks = sinks
        self.passed_on: Sinks = {}

    def foreign(self) -> Iterator[tuple[int, str]]:
        for function, call in self.source.calls:
            yield from self._of_call(function, call)

    def _of_call(self, function: Function, call: ast.Call) -> Iterator[tuple[int, str]]:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in self.sinks:
            return
        place, keyword = self.sinks[name]
        given = [k.value for k in call.keywords if k.arg == keyword] or call.args[place : place + 1]
        for statement in given:
            for piece in self._pieces(function, statement, frozenset()):
                argument = piece.id if isinstance(piece, ast.Name) else ""
                own = arguments_of(function)
                if argument in own:
                    shift = 1 if own[0] in ("self", "cls") else 0
                    self.passed_on[function.name] = (own.index(argument) - shift, argument)
                else:
                    yield call.lineno, ast.unparse(piece)

    def _pieces(self, function: Function, part: ast.expr, seen: frozenset[str]) -> Iterator[ast.expr]:
        """What the statement is made of, without the texts of ours."""
        if isinstance(part, ast.Name):
            yield from self._named(function, part, part.id, seen)
        elif (inside := parts_of(part)) is None:
            yield part
        else:
            for piece in inside:
                yield from self._pieces(function, piece, seen)

    def _named(
        self, function: Function, part: ast.expr, name: str, seen: frozenset[str]
    ) -> Iterator[ast.expr]:
        if CONSTANT.fullmatch(name):
            if name in self.source.constants and not is_made_at_import(self.source.constants[name]):
                yield part
            return
        given = [] if name in seen else given_to(function, name)
        if not given and name not in seen:
            yield part
        for value in given:
            yield from self._pieces(function, value, seen | {name})
        if name in arguments_of(function) and given:
            yield part


def is_made_at_import(value: ast.expr) -> bool:
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    return all((c.func.attr if isinstance(c.func, ast.Attribute) else getattr(c.func, "id", "")) in AT_IMPORT for c in calls)  # fmt: skip


def foreign_pieces(sources: list[Source]) -> set[tuple[str, int, str]]:
    """(file, line, piece). A function that passes an argument on as a statement takes statements itself."""
    sinks: Sinks = dict.fromkeys(DRIVER, (0, "sql"))
    while True:
        checks = [Check(source, sinks) for source in sources]
        found = {(c.source.place, line, piece) for c in checks for line, piece in c.foreign()}
        passed_on = {name: where for c in checks for name, where in c.passed_on.items()}
        if passed_on.keys() <= sinks.keys():
            return found
        sinks = {**passed_on, **sinks}


def ours() -> list[Source]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    paths = [p for p in listed if "src" in Path(p).parts and (ROOT / p).is_file()]
    return [Source.of(p, (ROOT / p).read_text(encoding="utf-8")) for p in paths]


def test_every_statement_is_a_text_of_ours() -> None:
    found = sorted(foreign_pieces(ours()))
    reviewed = {(place, piece) for place, _, piece in found} | {(place, "*") for place, _, _ in found}
    unseen = [one for one in found if not {(one[0], one[2]), (one[0], "*")} & REVIEWED.keys()]
    assert unseen == []
    assert sorted(REVIEWED.keys() - reviewed) == [], "reviewed, and no longer there"


BREACHES = {
    "interpolated": 'await tx.execute(f"SELECT * FROM cases WHERE id = {case_id}")',
    "added": 'await tx.fetch("SELECT * FROM cases WHERE name = \'" + name + "\'")',
    "by percent": 'await tx.fetchrow("SELECT * FROM cases WHERE name = %s" % name)',
    "formatted": 'await db.fetchval("SELECT {0}".format(name))',
    "formatted by name": 'await db.fetchval("SELECT {n}".format(n=name))',
    "joined": 'await db.fetch("SELECT " + ", ".join(names))',
    "in a variable": 'sql = f"SELECT {name}"\n    await db.fetch(sql)',
    "in one of two": 'sql = "SELECT 1" if name else f"SELECT {name}"\n    await db.fetch(sql)',
    "added later": 'sql = "SELECT 1"\n    sql += name\n    await db.fetch(sql)',
    "in a loop": 'for row in db.stream(f"SELECT {name}"):\n        pass',
    "of an object": 'await db.executemany(f"INSERT INTO {self.table} VALUES ($1)", [])',
    "from a function": "await db.execute(build(name))",
    "by keyword": 'await db.execute(sql=f"SELECT {name}")',
    "through another function": 'await narrowed(db, f"WHERE name = {name}")',
    "through two others": 'await twice(db, f"WHERE name = {name}")',
    "in a list": 'await db.fetch("SELECT 1 WHERE " + " AND ".join(f"{n} = 1" for n in names))',
    "from the environment": "await db.execute(_FROM_OUTSIDE)",
}
_AROUND = """
_TABLE = "cases"
_FROM_OUTSIDE = os.environ["X"] + os.getenv("Y")

async def narrowed(db, where):
    return await db.fetch("SELECT * FROM cases " + where)

async def twice(db, also):
    return await narrowed(db, also)

async def reads(self, tx, db):
    name, case_id, names = await request.json()
    {}
"""
FINE = {
    "a constant": 'await db.fetch(f"SELECT * FROM {_TABLE} WHERE id = $1", name)',
    "a constant of another module": 'await db.fetch(f"SELECT * FROM {store._COLUMNS}")',
    "a choice of ours": 'order = "DESC" if name else "ASC"\n    await db.fetch(f"SELECT 1 ORDER BY 1 {order}")',
    "places": "await db.fetch(f\"SELECT {', '.join(f'${n}' for n in range(1, len(_TABLE) + 1))}\", name)",
    "parameters": 'await db.execute("INSERT INTO cases VALUES ($1, $2)", name, case_id)',
    "through another function": 'await twice(db, "WHERE id = $1")',
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES.keys())
def test_the_check_sees_a_breach(breach: str) -> None:
    assert foreign_pieces([Source.of("breach.py", _AROUND.replace("{}", breach))])


@pytest.mark.parametrize("fine", FINE.values(), ids=FINE.keys())
def test_the_check_lets_pass_what_is_ours(fine: str) -> None:
    assert foreign_pieces([Source.of("fine.py", _AROUND.replace("{}", fine))]) == set()
