"""Texts for people, in the language that the request likes better."""

from typing import Annotated

from fastapi import Depends, Request

from chassis.messages import Catalogue, Language, language_of

CATALOGUE = Catalogue(["finance_link"])


async def language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))


Liked = Annotated[Language, Depends(language)]
