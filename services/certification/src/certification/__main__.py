from certification.main import service
from chassis.service import run

run(service)
