"""The service: ip-enterprise = casework, its rulebooks, and the register of IP assets."""

from functools import partial

from casework.api import casework_routers
from casework.deliveries import deliveries
from casework.issuing import Issuing
from casework.store import casework_sql
from casework.use_cases import (
    INSPECTION_OVERDUE,
    NOTICE_CLOSE,
    TITLE_DUTIES,
    act_on_duties,
    act_on_overdue,
    close_notice,
)
from chassis.migrate import sql_of
from chassis.service import Context, Service
from ip_enterprise.api import routers
from ip_enterprise.consumers import consumers
from ip_enterprise.settings import Settings
from ip_enterprise.use_cases import EXPIRE_ASSET, casework, expire_asset


async def prepare(context: Context) -> None:
    """A malformed rulebook stops the start, with file and line; so does a key that cannot sign."""
    if isinstance(context.settings, Settings):
        context.state["issuing"] = Issuing.of(context.settings)
        context.state["rulebooks"] = casework.load(context.settings.rulebook_folder)


service = Service(
    name="ip-enterprise",
    package="ip_enterprise",
    settings=Settings,
    routers=[*routers, *casework_routers(casework)],
    consumers=consumers,
    migrations=[casework_sql(), sql_of("ip_enterprise")],
    deadlines={
        NOTICE_CLOSE: partial(close_notice, casework),
        TITLE_DUTIES: partial(act_on_duties, casework),
        INSPECTION_OVERDUE: partial(act_on_overdue, casework),
        EXPIRE_ASSET: expire_asset,
    },
    deliveries=partial(deliveries, casework),
    on_start=prepare,
    keeps_files=True,
)
