"""`huiqi token`: a signed-in person, bank or machine for a house on this machine."""

from datetime import timedelta

import click

from chassis.auth import DevelopmentIssuer
from chassis.identity import ROLES
from huiqi.addresses import Addresses, house_option


@click.command()
@house_option
@click.argument("role", type=click.Choice(sorted(ROLES - {"system", "public"})))
@click.option("--subject", default="somebody", show_default=True, help="who it is; appears in the audit")
@click.option("--enterprise", "enterprise_id", metavar="USCC", help="the enterprise that it acts for, if any")
@click.option("--bank", "bank_id", metavar="BANK", help="the bank that it acts for")
@click.option("--audience", "audiences", multiple=True, help="a service that it is for; all when not given")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=8, show_default=True)
def token(
    *,
    house: Addresses,
    role: str,
    subject: str,
    enterprise_id: str | None,
    bank_id: str | None,
    audiences: tuple[str, ...],
    hours: float,
) -> None:
    """Print a bearer token of the development issuer, which no service in production trusts.

    For example: curl -H "Authorization: Bearer $(huiqi token officer)" …
    """
    if role == "bank" and bank_id is None:
        raise click.UsageError("a token of role bank needs --bank")
    if unknown := sorted(set(audiences) - house.services.keys()):
        raise click.UsageError(
            f"no service {', '.join(unknown)}; there are {', '.join(sorted(house.services))}"
        )
    issuer = DevelopmentIssuer(house.issuer)
    click.echo(
        issuer.token(
            subject,
            role,
            list(audiences or house.services),
            enterprise_id=enterprise_id,
            bank_id=bank_id,
            lifetime=timedelta(hours=hours),
        )
    )
