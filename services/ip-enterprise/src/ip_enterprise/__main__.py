from chassis.service import run
from ip_enterprise.main import service

run(service)
