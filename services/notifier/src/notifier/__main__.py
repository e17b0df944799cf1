from chassis.service import run
from notifier.main import service

run(service)
