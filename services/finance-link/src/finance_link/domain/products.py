"""Bank products and their rules. A rule asks for a title, an amount and a term; never for a score."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from finance_link.domain.refusals import AmountOverProduct, TermOverProduct
from finance_link.domain.scope import Title


class Product(BaseModel):
    """What a bank lends: at most `amount_max` yuan for at most `term_months_max` months, at `annual_rate_from` to
    `annual_rate_to` (shares per year, 0.0435 is 4.35 %). A valid title of any of `programmes` opens it; none named,
    it is open to everybody.
    """

    model_config = ConfigDict(frozen=True)

    bank_id: str
    product_id: str
    name_zh: str
    name_en: str
    amount_max: Decimal
    term_months_max: int
    annual_rate_from: Decimal
    annual_rate_to: Decimal
    programmes: list[str]
    is_open: bool

    def fits(self, title: Title) -> bool:
        return not self.programmes or title.programme in self.programmes

    def check_need(self, amount: Decimal, term_months: int) -> None:
        """Raises AmountOverProduct or TermOverProduct."""
        if amount > self.amount_max:
            raise AmountOverProduct(amount=amount, amount_max=self.amount_max, rule="product.amount_max")
        if term_months > self.term_months_max:
            raise TermOverProduct(
                term_months=term_months, term_months_max=self.term_months_max, rule="product.term_months_max"
            )


def opening_title(product: Product, titles: Iterable[Title], today: date) -> Title | None:
    """The title that opens the product: the one granted last of those that are valid and fit."""
    fitting = [title for title in titles if title.is_valid(today) and product.fits(title)]
    return max(fitting, key=lambda title: (title.granted_on, title.number), default=None)


def routed(products: Sequence[Product], title: Title) -> Product | None:
    """Where a new title leads: the open product whose rules fit, the cheapest for the enterprise first.

    The order looks at the products alone (first rate, then id), never at the enterprise: huiqi refers and does not
    rank borrowers (征信业务管理办法, Art. 5).
    """
    fitting = [product for product in products if product.is_open and product.fits(title)]
    return min(fitting, key=lambda product: (product.annual_rate_from, product.product_id), default=None)
