"""The HTTP side of certification's own duties."""

from certification.api.imports import imports
from certification.api.members import members
from certification.api.register import register
from certification.api.self_checks import self_checks

__all__ = ["routers"]

routers = [register, members, imports, self_checks]
