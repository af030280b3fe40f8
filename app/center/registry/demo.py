"""The demo's small world at the center: a dozen made-up persons, the institutions and the catalog the launcher names."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.center.registry.actions import (
    NewInstitution,
    NewItem,
    NewPerson,
    enrol_persons,
    publish_items,
    register_institution,
)
from app.core import tenancy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PERSONS = Path(__file__).resolve().parents[3] / "demo" / "persons.json"
PROVINCE = "33"
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A made-up person and the case they stand for."""

    new: NewPerson
    about: str


def load(institutions: Sequence[tuple[NewInstitution, bytes]], items: Sequence[NewItem]) -> None:
    """Register institutions with their secrets, enrol the demo's persons, publish the catalog. Twice does it once.

    Policies are the fund's: `app.center.fund.publishing.publish_demo_policies`.
    """
    with tenancy.acting_as(district=PROVINCE):
        known = _known("select code from institution where code = any(:keys)", [new.code for new, _ in institutions])
        for new, secret in institutions:
            if new.code not in known:
                register_institution(new, secret)
        people = [person.new for person in persons()]
        enrolled = _known("select psn_no from person where psn_no = any(:keys)", [new.psn_no for new in people])
        enrol_persons([new for new in people if new.psn_no not in enrolled])
        publish_items(items)


def persons() -> list[DemoPerson]:
    """The demo's persons as the file tells of them."""
    return [_person(told) for told in json.loads(PERSONS.read_text("utf-8"))[:MOST_SHOWN]]


def _person(told: Mapping[str, Any]) -> DemoPerson:
    names = {field.name for field in fields(NewPerson)}
    values = {name: value for name, value in told.items() if name in names}
    values["entitlements"] = tuple((kind, detail) for kind, detail in told.get("entitlements", ()))
    return DemoPerson(NewPerson(**values), told["about"])


def _known(statement: str, keys: Iterable[str]) -> set[str]:
    return set(run(statement, keys=list(keys)).scalars())
