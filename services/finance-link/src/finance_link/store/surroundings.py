"""What stands around one enterprise's relation to one bank, as one statement saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Transaction
from finance_link.domain.products import Product
from finance_link.domain.scope import Enterprise, Title

# Whole rows come as PostgreSQL's composites, so that amounts stay exact: JSON would make floats of them.
_AROUND = """
SELECT (SELECT e FROM enterprises e WHERE e.enterprise_id = $1) AS enterprise,
       ARRAY(SELECT t FROM titles t WHERE t.enterprise_id = $1 ORDER BY t.granted_on) AS titles,
       ARRAY(SELECT p FROM products p WHERE p.bank_id = $2 ORDER BY p.product_id) AS products,
       (SELECT max(r.next_application_on) FROM referrals r
        WHERE r.enterprise_id = $1 AND r.bank_id = $2 AND r.next_application_on IS NOT NULL) AS barred_until
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`enterprise` is None until its registration arrives. `barred_until`: the first day the bank takes a new request."""

    enterprise: Enterprise | None
    titles: Sequence[Title]
    products: Sequence[Product]
    barred_until: date | None

    def is_barred(self, today: date) -> bool:
        return self.barred_until is not None and today < self.barred_until

    def product(self, product_id: str) -> Product | None:
        return next((product for product in self.products if product.product_id == product_id), None)


async def find_surroundings(tx: Transaction, enterprise_id: str, bank_id: str) -> Surroundings:
    row = await tx.fetchrow(_AROUND, enterprise_id, bank_id)
    assert row is not None  # a SELECT without FROM
    enterprise = row["enterprise"]
    return Surroundings(
        Enterprise.model_validate(dict(enterprise)) if enterprise else None,
        [Title.model_validate(dict(title)) for title in row["titles"]],
        [Product.model_validate(dict(product)) for product in row["products"]],
        row["barred_until"],
    )
