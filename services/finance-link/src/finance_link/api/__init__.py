"""The HTTP door of finance-link."""

from finance_link.api import consents, products, referrals

ROUTERS = [products.routes, consents.routes, referrals.routes, referrals.bank_routes]
