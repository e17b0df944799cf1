"""Imports the packages whose name is also a folder's here, before pytest takes that folder for them."""

import casework  # noqa: F401
import chassis  # noqa: F401
import contracts  # noqa: F401
import huiqi  # noqa: F401
