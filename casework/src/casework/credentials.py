"""What credentials say: W3C Verifiable Credentials 2.0, secured as JWTs, issued under did:web."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Final
from urllib.parse import quote, urlsplit

from casework.case import Title
from casework.certificates.face import title_address
from casework.sourced import Text
from casework.status_lists import Place, encoded
from chassis.clock import SHANGHAI

MEDIA_TYPE: Final = "application/vc+jwt"
KIND: Final = "vc+jwt"
# The second one gives our own terms a meaning that is the issuer's, so that nothing has to be fetched from us.
_CONTEXT: Final = [
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
]
_LAST_SECOND: Final = time(23, 59, 59)


def issuer_of(public_address: str) -> str:
    """The did:web of the host: its document is at /.well-known/did.json."""
    return f"did:web:{quote(urlsplit(public_address).netloc, safe='.-')}"


def list_address(public_address: str, list_id: int) -> str:
    return f"{public_address}/v1/status-lists/{list_id}"


def title_credential(
    title: Title, name: Text, bureau: Text, place: Place, public_address: str
) -> dict[str, Any]:
    """The title as its holder shows it: valid from the first instant of its first day to the last of its last."""
    listed = list_address(public_address, place.list_id)
    return {
        "@context": _CONTEXT,
        "id": f"{title_address(public_address, title.number)}/credential",
        "type": ["VerifiableCredential", "TitleCredential"],
        "issuer": {"id": issuer_of(public_address), "name": _in_both(bureau)},
        "validFrom": _instant(title.granted_on, time.min),
        "validUntil": _instant(title.valid_until, _LAST_SECOND),
        "credentialStatus": {
            "id": f"{listed}#{place.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(place.index),
            "statusListCredential": listed,
        },
        "credentialSubject": {
            "id": f"urn:huiqi:enterprise:{title.enterprise_id}",
            "uscc": title.enterprise_id,
            **({"name": title.enterprise_name} if title.enterprise_name else {}),
            "title": {
                "number": title.number,
                "name": _in_both(name),
                "programme": title.programme,
                **({"level": title.level} if title.level else {}),
            },
        },
    }


def list_credential(
    list_id: int, revoked: Iterable[int], today: date, bureau: Text, public_address: str
) -> dict[str, Any]:
    """The list as it is today. The same until a bit is set or the day ends."""
    address = list_address(public_address, list_id)
    return {
        "@context": _CONTEXT[:1],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": {"id": issuer_of(public_address), "name": _in_both(bureau)},
        "validFrom": _instant(today, time.min),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded(revoked),
        },
    }


def did_document(issuer: str, keys: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """`keys`: public JWKs by the ids under which credentials name them."""
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": issuer,
        "verificationMethod": [
            {"id": key_id, "type": "JsonWebKey", "controller": issuer, "publicKeyJwk": jwk}
            for key_id, jwk in keys.items()
        ],
        "assertionMethod": list(keys),
    }


def _in_both(text: Text) -> list[dict[str, str]]:
    return [{"@value": text.zh, "@language": "zh-CN"}, {"@value": text.en, "@language": "en"}]


def _instant(day: date, at: time) -> str:
    return datetime.combine(day, at, SHANGHAI).isoformat()
