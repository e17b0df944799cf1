from collections.abc import Sequence
from typing import Any

from chassis.database import Database, Transaction
from chassis.listing import Listing
from finance_link.domain.products import Product

_PRODUCTS = Listing(
    "SELECT * FROM products", order="bank_id, product_id", bank_id="bank_id = {}", is_open="is_open",
    programme="(cardinality(programmes) = 0 OR {} = ANY(programmes))", is_closed="NOT is_open",
    after="(bank_id, product_id) > ({}, {})",
)  # fmt: skip


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
    rows = await _PRODUCTS.rows(
        db, limit + 1, bank_id=bank_id, programme=programme, is_open=is_open, is_closed=is_open is False, after=after
    )  # fmt: skip
    return [_read(row) for row in rows]
