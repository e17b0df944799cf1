from chassis.auth import authorize
from chassis.database import Transaction
from finance_link.domain.products import Product
from finance_link.store import products as store
from finance_link.use_cases.policy import POLICY


async def put_product(tx: Transaction, product: Product) -> None:
    """Offers a product or replaces what was said of it. By an officer or by the bank itself."""
    authorize(POLICY, tx.actor, "product.save", bank_id=product.bank_id)
    await store.save_product(tx, product)
