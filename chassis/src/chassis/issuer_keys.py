"""The keys that an issuer publishes: fetched with a limit of time and size, and read."""

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import orjson
from joserfc.jwk import Key, KeySet

from chassis.errors import Unavailable

FETCH_TIMEOUT: Final = 5.0
MAX_JWKS_BYTES: Final = 262_144
_KEY_TYPES: Final = ("RSA", "EC", "OKP")  # never `oct`: a published secret would sign for everybody


def read_keys(body: bytes) -> dict[str, Key]:
    entries = [
        entry
        for entry in orjson.loads(body)["keys"]
        if entry.get("kty") in _KEY_TYPES and entry.get("use") != "enc"
    ]
    return {key.kid: key for key in KeySet.import_key_set({"keys": entries}) if key.kid}


async def read(url: str) -> bytes:
    if url.startswith("file://"):
        return await asyncio.to_thread(Path(url2pathname(urlsplit(url).path)).read_bytes)
    import httpx  # noqa: PLC0415 - not needed where keys are a file

    try:
        async with (
            httpx.AsyncClient(timeout=FETCH_TIMEOUT, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_JWKS_BYTES:
                    raise ValueError("the issuer's key set is too large")
            return body
    except httpx.HTTPError as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error
