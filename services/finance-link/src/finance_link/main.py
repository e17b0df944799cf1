from chassis.migrate import sql_of
from chassis.service import Service, run
from finance_link.api import ROUTERS
from finance_link.consumers import consumers
from finance_link.settings import Settings
from finance_link.store.terms import terms
from finance_link.use_cases.consents import EXPIRE_CONSENT
from finance_link.use_cases.deadlines import expire_consent, expire_referral
from finance_link.use_cases.sending import EXPIRE_REFERRAL

terms()  # a malformed file stops the start

service = Service(
    name="finance-link",
    package="finance_link",
    settings=Settings,
    routers=ROUTERS,
    consumers=consumers,
    migrations=[sql_of("finance_link")],
    deadlines={EXPIRE_CONSENT: expire_consent, EXPIRE_REFERRAL: expire_referral},
)

if __name__ == "__main__":
    run(service)
