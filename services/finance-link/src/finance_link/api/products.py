from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field, model_validator

from chassis.http import Body, Db, Page, Paged, Tx, page, router
from contracts.values import Money, Share, Slug
from finance_link.api.values import Amount, Line, Rate
from finance_link.domain.products import Product
from finance_link.store import products as store
from finance_link.use_cases.products import put_product

routes = router("/v1/products", ["products"])


class Name(Body):
    zh: Line
    en: Line


class ProductOffered(Body):
    """`programmes`: a valid title of any of these is needed; empty: everybody may apply."""

    name: Name
    amount_max: Amount
    term_months_max: Annotated[int, Field(ge=1, le=1200)]
    annual_rate_from: Rate
    annual_rate_to: Rate
    programmes: Annotated[list[Slug], Field(max_length=50, default_factory=list)]
    open: bool = True

    @model_validator(mode="after")
    def _rates_in_order(self) -> Self:
        if self.annual_rate_to < self.annual_rate_from:
            raise ValueError("annual_rate_to: at least annual_rate_from")
        return self


class NameShown(BaseModel):
    zh: str
    en: str


class ProductShown(BaseModel):
    bank_id: str
    product_id: str
    name: NameShown
    amount_max: Money
    term_months_max: int
    annual_rate_from: Share
    annual_rate_to: Share
    programmes: list[str]
    open: bool


def _shown(product: Product) -> ProductShown:
    return ProductShown(
        name=NameShown(zh=product.name_zh, en=product.name_en),
        open=product.is_open,
        **product.model_dump(exclude={"name_zh", "name_en", "is_open"}),
    )


@routes.put("/{bank_id}/{product_id}")
async def offer_product(bank_id: Slug, product_id: Slug, body: ProductOffered, tx: Tx) -> ProductShown:
    """Offers a product or replaces it: an officer, or the bank itself."""
    product = Product(
        bank_id=bank_id, product_id=product_id, name_zh=body.name.zh, name_en=body.name.en,
        amount_max=body.amount_max, term_months_max=body.term_months_max, annual_rate_from=body.annual_rate_from,
        annual_rate_to=body.annual_rate_to, programmes=list(body.programmes), is_open=body.open,
    )  # fmt: skip
    await put_product(tx, product)
    return _shown(product)


@routes.get("")
async def list_products(
    db: Db,
    asked: Paged,
    bank_id: Slug | None = None,
    programme: Slug | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
) -> Page[ProductShown]:
    """Public. `programme`: what the holder of such a title may apply for."""
    rows = await store.page_products(
        db, after=asked.after(str, str), limit=asked.limit, bank_id=bank_id, programme=programme, is_open=is_open
    )  # fmt: skip
    return page(rows, asked, key=lambda product: (product.bank_id, product.product_id), item=_shown)
