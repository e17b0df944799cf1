"""pytest names tests after their folders, which hides a package of the same name unless it is imported first."""

import casework
import chassis
import contracts
import huiqi

PACKAGES = (casework, chassis, contracts, huiqi)
