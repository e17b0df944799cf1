"""`huiqi verify certificate` and `huiqi verify credential`: what somebody shows, checked without our database."""

import asyncio
import logging
import warnings
from datetime import datetime
from typing import BinaryIO, TextIO

import click
from joserfc.errors import SecurityWarning

from casework import credential_file
from casework.certificates.signing import NotSigned, Signed, read_signed
from casework.credential_file import Credential, NotGood, StatusList
from chassis.clock import SHANGHAI, SystemClock
from chassis.errors import Unavailable
from chassis.issuer_keys import read, read_keys


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--trust", type=click.File("rb"), metavar="CERT", help="PEM of whoever may vouch for the signer"
)
def certificate(file: BinaryIO, trust: BinaryIO | None) -> None:
    """Check the signature of a title's certificate, a PDF; exit 1 where a byte changed or the signer is not trusted.

    FILE is what `GET /v1/titles/{number}/certificate` answers, `-` for the standard input. Whether the title is still
    held, the certificate cannot say: its QR code leads there.
    """
    logging.getLogger("pyhanko").addHandler(logging.NullHandler())
    try:
        found = read_signed(file.read(), None if trust is None else trust.read())
    except NotSigned as error:
        click.echo(f"does not hold: {error}")
        raise SystemExit(1) from error
    click.echo(_said_of(found))
    if found.trusted is False:
        raise SystemExit(1)


def _said_of(found: Signed) -> str:
    trusted = {
        None: "whether that is the bureau was not checked: give its certificate with --trust",
        True: "vouched for by what --trust names",
        False: "not vouched for by what --trust names",
    }[found.trusted]
    signed_at = found.at.astimezone(SHANGHAI).isoformat() if found.at else "at an unknown time"
    return (
        f"title {found.number or 'not named'}: every byte is as it was signed, {signed_at}\n"
        f"signed by {found.signer}\nissued by {found.issuer}\nsha256 {found.sha256}\n{trusted}"
    )


@click.command()
@click.argument("file", type=click.File("r"))
@click.option("--keys", type=click.File("rb"), help="the issuer's JWK set, instead of asking the issuer")
@click.option("--list", "listed", type=click.File("r"), help="the status list, instead of asking the issuer")
def credential(file: TextIO, keys: BinaryIO | None, listed: TextIO | None) -> None:
    """Check the signature, days and status of a title's credential; exit 1 where it is not to be relied on.

    FILE is what `GET /v1/titles/{number}/credential` answers, `-` for the standard input. With --keys and --list nobody
    is asked; without, the issuer that the credential names, over https.
    """
    warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
    try:
        found, status = asyncio.run(
            checked_credential(
                file.read().strip(),
                SystemClock().now(),
                keys=None if keys is None else keys.read(),
                listed=None if listed is None else listed.read(),
            )
        )
    except NotGood as error:
        click.echo(f"does not hold: {error}")
        raise SystemExit(1) from error
    except (Unavailable, OSError) as error:
        raise click.ClickException(f"cannot be checked: {error}") from error
    subject = found.subject
    click.echo(
        f"title {subject.title.number} of {subject.name or ''} {subject.uscc}: held until"
        f" {found.valid_until.astimezone(SHANGHAI).date()}, not revoked by the list of"
        f" {status.valid_from.astimezone(SHANGHAI).date()}\nissued by {found.issuer.id}"
    )


async def checked_credential(
    token: str, now: datetime, *, keys: bytes | None = None, listed: str | None = None
) -> tuple[Credential, StatusList]:
    """What the credential says and the list it stands in, both asked for where they are not given.

    Raises NotGood where it is not to be relied on at `now`; Unavailable or OSError where it cannot be checked.
    """
    published = await read(credential_file.keys_address(token)) if keys is None else keys
    try:
        known = read_keys(published)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotGood("the issuer's keys are no JWK set") from error
    found = credential_file.read_credential(token, known)
    kept = (await read(found.status.listed_in)).decode() if listed is None else listed
    status = credential_file.read_list(kept.strip(), known, found)
    credential_file.check(found, status, now)
    return found, status
