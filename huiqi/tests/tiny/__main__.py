from chassis.inbox import Consumers
from chassis.service import Service, run
from chassis.settings import ServiceSettings


class Settings(ServiceSettings, env_prefix="TINY_"):
    pass


run(
    Service(
        name="tiny",
        package="tiny",
        settings=Settings,
        routers=[],
        consumers=Consumers("tiny"),
        migrations=[],
    )
)
