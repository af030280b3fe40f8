"""Commands for whoever runs the center: the first administrator, who then adds everybody else on the screens."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.center.registry import officer_actions, officer_queries
from app.core import tenancy
from app.core.errors import Refusal

commands = AppGroup("officers", help="People of the center.")


@commands.command("add")
@click.argument("district")
@click.argument("number")
@click.argument("name")
@click.option("--role", type=click.Choice(list(officer_queries.ROLES)), default="administrator")
def add(district: str, number: str, name: str, role: str) -> None:
    """Add somebody to the center; prints the one-time password once. The first sign-in sets up the second factor."""
    try:
        with tenancy.acting_as(district=district):
            added = officer_actions.add_officer(officer_actions.NewOfficer(district, number, name, role))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"{role} {number} of {district}, one-time password: {added.password}")


@commands.command("reset-second-factor")
@click.argument("district")
@click.argument("number")
def reset_second_factor(district: str, number: str) -> None:
    """Take away a lost second factor, when nobody at the center can do it any more."""
    with tenancy.acting_as(district=district):
        person = next((each for each in officer_queries.list_officers(search=number)[0] if each.number == number), None)
        if person is None:
            raise click.ClickException("no such person")
        officer_actions.reset_second_factor(person.id, by=0)
    click.echo("the next sign-in sets up a new one")
