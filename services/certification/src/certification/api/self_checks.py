"""/v1/self-checks: anybody's facts in, the explained verdict out, nothing kept."""

from typing import Any

import orjson
from fastapi import Depends, Response

from casework.api import in_the_callers_words
from casework.facts import facts_from
from certification import use_cases
from chassis.exact import WrittenDay
from chassis.http import router

self_checks = router("/v1/self-checks", ["self-checks"])
self_checks.dependencies.append(Depends(in_the_callers_words))


@self_checks.post("")
async def self_check(
    facts: dict[str, Any],
    programme: str | None = None,
    edition: WrittenDay | None = None,
    level: str | None = None,
) -> Response:
    """The body is a facts file as JSON. `edition` is a date in force; without it the day of application decides."""
    answer = use_cases.self_check(facts_from(facts), programme=programme, edition=edition, level=level)
    return Response(orjson.dumps(answer), media_type="application/json")
