"""What anybody may take away of a title: its certificate, its credential, and the lists that say what was revoked."""

import structlog

from casework import credential_store, credentials
from casework.case import Title
from casework.certificates.face import face_of, title_name
from casework.certificates.press import CannotBeSet
from casework.credential_keys import CredentialKeys
from casework.issuing import Issuing
from casework.sourced import Text
from casework.status_lists import Place
from casework.store import Reader
from casework.use_cases.casework import Casework
from casework.use_cases.refusals import CertificateCannotBeSet, NoSigningKey, TitleWasRevoked
from chassis.clock import Clock
from chassis.errors import NotFound

log = structlog.get_logger()


async def issue_certificate(work: Casework, reader: Reader, issuing: Issuing, number: str) -> bytes:
    """The signed PDF, for a title that is held or has run out.

    Raises NotFound, TitleWasRevoked, NoSigningKey, CertificateCannotBeSet, Unavailable.
    """
    title, _ = await _granted(reader, number)
    if issuing.certificate_key is None:
        raise NoSigningKey(thing="certificate")
    face = face_of(title, _name_of(work, title), issuing.bureau, issuing.public_address)
    try:
        return await issuing.press.certificate(face, issuing.certificate_key)
    except CannotBeSet as error:
        log.error("certificate.cannot_be_set", number=number, error=str(error))  # noqa: TRY400 - the form's fault
        raise CertificateCannotBeSet(number=number) from error


async def issue_credential(work: Casework, reader: Reader, issuing: Issuing, number: str) -> str:
    """The title as a signed credential. Raises NotFound, TitleWasRevoked, NoSigningKey."""
    title, place = await _granted(reader, number)
    keys = _keys_of(issuing)
    said = credentials.title_credential(
        title, _name_of(work, title), issuing.bureau, place, issuing.public_address
    )
    return keys.sign(said, kind=credentials.KIND, issuer=credentials.issuer_of(issuing.public_address))


async def issue_status_list(reader: Reader, clock: Clock, issuing: Issuing, list_id: int) -> str:
    """The list as a signed credential, true at this moment. Raises NotFound, NoSigningKey."""
    keys = _keys_of(issuing)
    revoked = await credential_store.list_revoked(reader, list_id)
    if revoked is None:
        raise NotFound(thing="status list")
    said = credentials.list_credential(
        list_id, revoked, clock.today(), issuing.bureau, issuing.public_address
    )
    return keys.sign(said, kind=credentials.KIND, issuer=credentials.issuer_of(issuing.public_address))


async def _granted(reader: Reader, number: str) -> tuple[Title, Place]:
    found = await credential_store.find_placed_title(reader, number)
    if found is None:
        raise NotFound(thing="title")
    title, place = found
    if title.revoked_on is not None:
        raise TitleWasRevoked(rule="revocation", number=number, on=title.revoked_on)
    return title, place


def _keys_of(issuing: Issuing) -> CredentialKeys:
    if issuing.credential_keys is None:
        raise NoSigningKey(thing="credential")
    return issuing.credential_keys


def _name_of(work: Casework, title: Title) -> Text:
    """Raises EditionNotLoaded."""
    edition = work.loaded(title.programme, title.edition, title.edition_hash)
    return title_name(title.programme, title.level, edition.title)
