from chassis.service import run
from tally.main import service

run(service)
