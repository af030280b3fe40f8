"""After everything has happened once, no table of either wing holds a person's numbers in the clear; nor do facts."""

import pytest

from app.core import personal
from launcher.databases import connect
from tests.factories.people import center_client, make_officer, sign_in, sign_in_officer
from tests.guards import fences, known, routes
from tests.guards.filled import address


@pytest.fixture
def numbers(filled):
    """What identifies the person, as it might lie somewhere."""
    plain = (filled.person.certno, filled.person.card)
    return [form for text in plain for form in (text, text.encode().hex(), text.encode("utf-16-le").hex())]


@pytest.mark.parametrize("wing", known.WINGS)
def test_no_row_holds_a_persons_number_in_the_clear(database_urls, filled, numbers, wing):
    found = []
    with connect(database_urls[wing]["owner"]) as owner:
        for table in fences.tables(owner):
            for number in numbers:
                [many] = owner.execute(
                    f"select count(*) from {table} t where strpos(t::text, %s) > 0", (number,)
                ).fetchone()
                found += [f"{table}: {many} rows hold {number[:6]}…"] if many else []
    assert found == []


def test_the_search_sees_what_lies_open(database_urls, filled):
    """The pharmacy's own code is no secret; the same search finds it."""
    with connect(database_urls["facility"]["owner"]) as owner:
        [many] = owner.execute(
            "select count(*) from facility t where strpos(t::text, %s) > 0", (filled.pharmacy.code,)
        ).fetchone()
    assert many == 1


def test_facts_name_no_person(database_urls, filled):
    with connect(database_urls["facility"]["owner"]) as owner:
        bodies = [
            row[0]
            for row in owner.execute(
                "select convert_from(body, 'UTF8') from outbox where tenant_id = %s", (filled.pharmacy.tenant_id,)
            )
        ]
    assert len(bodies) > 5
    for body in bodies:
        for text in (filled.person.certno, filled.person.card, filled.person.psn_no, filled.person.name, "钱多多"):
            assert text not in body


def test_the_paper_prescriptions_patient_is_sealed(database_urls, filled):
    with connect(database_urls["facility"]["owner"]) as owner:
        for table in fences.tables(owner):
            [many] = owner.execute(f"select count(*) from {table} t where strpos(t::text, '钱多多') > 0").fetchone()
            assert many == 0, table


def test_no_page_shows_a_whole_number(facility_app, center_app, filled):
    pages = []
    for app, client, enter in (
        (facility_app, facility_app.test_client(), _as_owner),
        (center_app, center_client(center_app), _as_officer),
    ):
        enter(app, client, filled)
        for rule in routes.rules_of(app):
            if (
                "GET" in rule.methods
                and rule.arguments <= filled.ids.keys()
                and not routes.is_for_machines(app, rule)
                and rule.endpoint not in routes.PUBLIC
            ):
                pages.append((routes.named(rule), routes.said(client.get(address(app, rule, filled.ids)))))
    shown = [name for name, body in pages if filled.person.certno in body or filled.person.card in body]
    assert len(pages) > 30
    assert shown == []


def _as_owner(_app, client, filled):
    sign_in(client, filled.pharmacy, filled.pharmacy.owner)


def _as_officer(app, client, _filled):
    sign_in_officer(client, make_officer(app, "officer", "330212"))


def test_what_one_tenant_sealed_another_cannot_open(filled):
    sealed = personal.seal(str(filled.pharmacy.tenant_id), filled.person.certno)

    assert personal.unseal(str(filled.pharmacy.tenant_id), sealed) == filled.person.certno
    with pytest.raises(Exception):  # noqa: B017 - any failure will do, as long as it is one
        personal.unseal(str(filled.pharmacy.tenant_id + 1), sealed)
    assert sealed != personal.seal(str(filled.pharmacy.tenant_id), filled.person.certno)
