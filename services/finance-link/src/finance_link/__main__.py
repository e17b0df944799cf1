from chassis.service import run
from finance_link.main import service

run(service)
