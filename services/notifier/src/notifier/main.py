"""notifier: who is told what, over which channel, with which result."""

from collections.abc import Mapping
from typing import cast

from chassis.migrate import sql_of
from chassis.service import Context, Service
from chassis.work import Delivery
from notifier.api import routes
from notifier.clients import SmtpChannel
from notifier.consumers import listening
from notifier.deliveries import Deliveries
from notifier.settings import Settings
from notifier.store.shipped import load_notices


def _deliveries(context: Context) -> Mapping[str, Delivery]:
    settings = cast("Settings", context.settings)
    return Deliveries(context.db, settings, SmtpChannel(settings)).kinds()


service = Service(
    name="notifier",
    package="notifier",
    settings=Settings,
    routers=[routes],
    consumers=listening(load_notices()),
    migrations=[sql_of("notifier")],
    deliveries=_deliveries,
)
