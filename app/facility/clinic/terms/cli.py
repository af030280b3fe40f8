"""Commands for whoever runs the product: load a list of diagnoses."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from app.core.errors import Refusal
from app.facility.clinic.terms import loading
from app.facility.clinic.terms.queries import KINDS

commands = AppGroup("terms", help="Lists of diagnoses, the same for every organization.")


@commands.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--version", required=True, help="Which list this is, for example 医保版2.0.")
@click.option("--kind", type=click.Choice(list(KINDS)), default="WESTERN", help="For files without a column for it.")
def load(file: Path, version: str, kind: str) -> None:
    """Load FILE (JSON, CSV or Excel: code, name) as the present list; codes that are gone end today."""
    try:
        terms = loading.read_terms(file, kind)
        with click.progressbar(length=len(terms), label=f"{len(terms):,} terms") as bar:
            done = loading.load_terms(terms, version, lambda written: bar.update(written - bar.pos))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"{done.terms:,} terms of {version}: {done.new:,} new, {done.changed:,} changed, {done.ended:,} ended")
