"""The days that the bureau waits, as `terms.yaml` says."""

from datetime import timedelta
from functools import cache
from importlib.resources import files

import yaml

from finance_link.domain.referrals import Terms


@cache
def terms() -> Terms:
    """Raises KeyError, TypeError or yaml.YAMLError where the file is wrong."""
    rows = yaml.safe_load((files("finance_link") / "terms.yaml").read_text(encoding="utf-8"))
    return Terms(**{name: timedelta(days=row["days"]) for name, row in rows.items()})
