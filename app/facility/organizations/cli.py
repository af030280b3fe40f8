"""Commands for whoever runs the product: sign up an organization, let a locked-out owner in again."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core import tenancy
from app.core.errors import Refusal
from app.facility.organizations import actions, queries

commands = AppGroup("organizations", help="Organizations, their facilities and people.")


@commands.command("create")
@click.argument("code")
@click.argument("name")
@click.option("--national-code", help="National code of the first facility; the organization code when left out.")
@click.option("--district", required=True, help="Six digits, for example 330212.")
@click.option("--district-name", default="", help="For example 鄞州区.")
@click.option("--kind", type=click.Choice(["pharmacy", "clinic"]), default="pharmacy")
@click.option("--owner", required=True, help="The owner's name; the number will be 001.")
def create(
    code: str, name: str, national_code: str | None, district: str, district_name: str, kind: str, owner: str
) -> None:
    """Sign up an organization CODE called NAME; prints the owner's one-time password and the center secret once."""
    facility = actions.NewFacility(national_code or code, name, district, district_name, kind)
    try:
        made = actions.create_organization(code, name, facility, actions.NewStaff("001", owner))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"organization {code}, tenant {made.tenant_id}, facility {made.national_code}")
    click.echo(f"owner 001 {owner}, one-time password: {made.owner_password}")
    click.echo(f"secret for the center's registry: {made.center_secret}")


@commands.command("reset-owner")
@click.argument("tenant", type=int)
@click.argument("number")
def reset_owner(tenant: int, number: str) -> None:
    """Give the person NUMBER of TENANT a one-time password, when nobody there can do it any more."""
    with tenancy.as_tenant(tenant):
        person = next((each for each in queries.list_staff(search=number)[0] if each.number == number), None)
        if person is None:
            raise click.ClickException("no such person")
        click.echo(f"one-time password: {actions.reset_password(person.id, by=0)}")
