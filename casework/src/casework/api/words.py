"""Refusals of facts in the language that the caller reads."""

from collections.abc import AsyncIterator

from fastapi import Request

from casework.unusable import UnusableInput
from casework.wording import say
from chassis.messages import language_of


async def in_the_callers_words(request: Request) -> AsyncIterator[None]:
    """A dependency: what is wrong with facts is said in Chinese or English, as `Accept-Language` asks."""
    try:
        yield
    except UnusableInput as error:
        language = language_of(request.headers.get("accept-language"))
        error.fields["rule_broken"] = say(error.rule_id, language, **error.values)
        raise
