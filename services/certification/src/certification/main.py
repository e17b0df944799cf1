"""The service: certification = casework, its rulebooks, and the register of enterprises and their facts."""

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
from certification.api import routers
from certification.consumers import consumers
from certification.settings import Settings
from certification.use_cases import casework
from certification.use_cases.members import MEMBER_END, end_after_last_day
from chassis.migrate import sql_of
from chassis.service import Context, Service


async def prepare(context: Context) -> None:
    """A malformed rulebook stops the start, with file and line; so does a key that cannot sign."""
    if isinstance(context.settings, Settings):
        context.state["issuing"] = Issuing.of(context.settings)
        context.state["rulebooks"] = casework.load(context.settings.rulebook_folder)


service = Service(
    name="certification",
    package="certification",
    settings=Settings,
    routers=[*routers, *casework_routers(casework)],
    consumers=consumers,
    migrations=[casework_sql(), sql_of("certification")],
    deadlines={
        NOTICE_CLOSE: partial(close_notice, casework),
        TITLE_DUTIES: partial(act_on_duties, casework),
        INSPECTION_OVERDUE: partial(act_on_overdue, casework),
        MEMBER_END: end_after_last_day,
    },
    deliveries=partial(deliveries, casework),
    on_start=prepare,
    keeps_files=True,
)
