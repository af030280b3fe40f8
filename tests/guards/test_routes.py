"""Every address of both wings: whom it asks for, that forms carry a token, that strangers find nothing, that lists end."""

import ast
import re
from pathlib import Path

import pytest

from tests.factories.people import center_client, make_officer, make_pharmacy, sign_in, sign_in_officer
from tests.guards import routes
from tests.guards.filled import address

ROOT = Path(__file__).resolve().parents[2]
OFFICES = ("officer", "auditor", "administrator", "security_admin", "audit_admin")


@pytest.fixture(params=["facility", "center"])
def app(request):
    return request.getfixturevalue(f"{request.param}_app")


# ---- who may enter -------------------------------------------------------------------------------------------------


def test_every_address_asks_for_a_role_or_is_known_by_name(app):
    for rule in routes.rules_of(app):
        view = app.view_functions[rule.endpoint]
        if rule.endpoint in routes.PUBLIC or routes.is_for_machines(app, rule):
            continue
        needed = getattr(view, "needs_roles", None)
        assert needed is not None, f"{routes.named(rule)} asks for nobody"
        assert needed or rule.endpoint in routes.ANYBODY, f"{routes.named(rule)} lets any role in"
        assert not getattr(view, "is_public", False), f"{routes.named(rule)} is public and asks for a role"


def test_what_is_known_by_name_is_there_and_no_more_is_open(facility_app, center_app):
    there = {rule.endpoint for wing in (facility_app, center_app) for rule in routes.rules_of(wing)}
    public = {
        name
        for wing in (facility_app, center_app)
        for name, view in wing.view_functions.items()
        if getattr(view, "is_public", False)
    }
    machines = {
        name
        for wing in (facility_app, center_app)
        for name, room in wing.blueprints.items()
        if getattr(room, "is_for_machines", False)
    }

    assert routes.PUBLIC.keys() | routes.ANYBODY.keys() <= there
    assert public | {"static"} == routes.PUBLIC.keys()
    assert machines == routes.MACHINES.keys()


def test_nobody_signed_in_is_sent_to_the_door(app, filled):
    client = center_client(app) if app.config["WING"] == "center" else app.test_client()
    for rule in routes.rules_of(app):
        if rule.endpoint in routes.PUBLIC or routes.is_for_machines(app, rule):
            continue
        for method in routes.methods(rule):
            where = address(app, rule, _any(filled.ids))
            answer = client.open(where, method=method, headers={"X-CSRFToken": "x"})
            sent = answer.status_code == 303 and "/signin" in answer.location
            assert sent or (method == "POST" and answer.status_code == 400), f"{method} {where}: {answer.status_code}"


@pytest.mark.parametrize("person", ["clerk", "pharmacist", "auditor"])
def test_who_does_not_hold_the_role_is_turned_away(facility_app, filled, person):
    client = facility_app.test_client()
    staff = filled.ids["auditor"] if person == "auditor" else getattr(filled.pharmacy, person)
    sign_in(client, filled.pharmacy, staff)
    role = "audit_admin" if person == "auditor" else person

    for rule in routes.rules_of(facility_app):
        needed = getattr(facility_app.view_functions[rule.endpoint], "needs_roles", ())
        if needed and role not in needed and "GET" in rule.methods:
            answer = client.get(address(facility_app, rule, filled.ids))
            assert answer.status_code == 403, f"{person} at {routes.named(rule)}: {answer.status_code}"


@pytest.mark.parametrize("role", OFFICES)
def test_an_officer_without_the_role_is_turned_away(center_app, filled, role):
    client = center_client(center_app)
    sign_in_officer(client, make_officer(center_app, role, "330212"))
    for rule in routes.rules_of(center_app):
        needed = getattr(center_app.view_functions[rule.endpoint], "needs_roles", ())
        if needed and role not in needed and "GET" in rule.methods:
            answer = client.get(address(center_app, rule, _any(filled.ids)))
            assert answer.status_code == 403, f"{role} at {routes.named(rule)}: {answer.status_code}"


# ---- form tokens ---------------------------------------------------------------------------------------------------


def test_a_form_without_its_token_changes_nothing(app, filled):
    facility = app.config["WING"] == "facility"
    client = app.test_client() if facility else center_client(app)
    if facility:
        sign_in(client, filled.pharmacy, filled.pharmacy.owner)
    else:
        sign_in_officer(client, make_officer(app, "administrator", "330212"))
    asked = 0
    for rule in routes.rules_of(app):
        if not {"POST", "PUT", "PATCH", "DELETE"} & rule.methods or routes.is_for_machines(app, rule):
            continue
        asked += 1
        for token in ({}, {"csrf_token": "forged"}):
            answer = client.post(address(app, rule, _any(filled.ids)), data=token)
            assert answer.status_code == 400, f"{routes.named(rule)}: {answer.status_code}"
            assert "页面已过期" in answer.get_data(as_text=True), routes.named(rule)
    assert asked > 10


def test_looking_changes_nothing():
    """No view of a GET alone calls what writes, but the ones known by name."""
    found = []
    for file in _sources("views"):
        for view in ast.walk(ast.parse(file.read_text())):
            if isinstance(view, ast.FunctionDef) and _is_get_only(view) and (wrote := _writes(view)):
                found.append(f"{file.parent.name}.{view.name}: {wrote}")

    assert [each for each in found if each.partition(":")[0] not in routes.CHANGING_GETS] == []


def _is_get_only(view) -> bool:
    return any(
        isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Attribute)
        and mark.func.attr == "get"
        and isinstance(mark.func.value, ast.Name)
        for mark in view.decorator_list
    )


def _writes(view) -> list:
    return [
        ast.unparse(call.func)
        for call in ast.walk(view)
        if isinstance(call, ast.Call)
        and re.match(r"(actions|officer_actions|settling|machine)\.(?!find|get|list)", ast.unparse(call.func))
    ]


# ---- strangers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["owner", "clerk", "pharmacist"])
def test_a_stranger_finds_none_of_our_records(facility_app, filled, person):
    """Each address with a real id of ours answers a stranger as if it did not exist; lists show nothing of ours."""
    other = make_pharmacy(facility_app, name="三号药店")
    client = facility_app.test_client()
    sign_in(client, other, getattr(other, person))
    seen = 0
    for rule in routes.rules_of(facility_app):
        if "GET" not in rule.methods or rule.endpoint in routes.PUBLIC or not _is_for(facility_app, rule, person):
            continue
        where = address(facility_app, rule, filled.ids)
        assert where, f"{routes.named(rule)} has a parameter the guard does not know: {rule.arguments}"
        answer = client.get(where)
        body = routes.said(answer)
        if rule.arguments:
            seen += 1
            quiet = rule.endpoint in SILENT and not body.strip().strip("{}[]")
            assert answer.status_code == 404 or quiet or rule.endpoint in SHOWS_OWN, (
                f"{routes.named(rule)}: {answer.status_code}"
            )
        leaked = [mark for mark in filled.marks if mark in body and mark not in where]
        assert not leaked, f"{routes.named(rule)} shows {leaked}"
    assert seen >= {"owner": 8}.get(person, 5)


# Answers nothing at all to whoever has no such record.
SILENT: set = set()
# Shows the asker's own counter when the sale named never arrived: to a stranger ours never did.
# A register, and a summary of days, is named by its kind, not by a record: each reader finds their own organization's rows in it.
SHOWS_OWN = {
    "counter.outcome",
    "counter_registers.show_book", "counter_registers.print_book", "counter_registers.export_book",
    "clinic_day.show_summary", "clinic_day.print_summary", "clinic_day.export_summary",
}  # fmt: skip


@pytest.mark.parametrize("person", ["owner", "clerk", "pharmacist"])
def test_a_stranger_moves_none_of_our_records(facility_app, filled, person, database_urls):
    """Each POST with a real id of ours: not found, and nothing of ours has moved."""
    from launcher.databases import connect
    from tests.factories.people import form_token

    other = make_pharmacy(facility_app, name="三号药店")
    client = facility_app.test_client()
    sign_in(client, other, getattr(other, person))
    token = form_token(client)
    before = _state(connect, database_urls, filled.pharmacy.tenant_id)
    for rule in routes.rules_of(facility_app):
        if "POST" not in rule.methods or not rule.arguments or not _is_for(facility_app, rule, person):
            continue
        where = address(facility_app, rule, filled.ids)
        answer = client.post(
            where,
            data={"csrf_token": token, "text": "6901234567892", "version": "1", "document": str(filled.ids["held_id"])},
        )
        assert answer.status_code in REFUSED, f"{routes.named(rule)}: {answer.status_code}"
    assert _state(connect, database_urls, filled.pharmacy.tenant_id) == before


# 404 where the record is looked for first; 409/422 where the form is read first (a basket of a stranger's own may begin
# under any id: the key is (tenant, id)).
REFUSED = {200, 404, 409, 422}


def _state(connect, urls, tenant):
    from tests.guards import fences, known

    with connect(urls["facility"]["owner"]) as connection:
        return {
            table: connection.execute(
                f"select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from {table} t where tenant_id = %s",
                (tenant,),
            ).fetchone()
            for table in fences.tables(connection)
            if table not in known.OF_NOBODY["facility"]
        }


def test_an_officer_of_another_district_finds_none_of_our_records(center_app, filled):
    client = center_client(center_app)
    sign_in_officer(client, make_officer(center_app, "officer", "330226"))
    for rule in routes.rules_of(center_app):
        if "GET" not in rule.methods or routes.is_for_machines(center_app, rule) or rule.endpoint in routes.PUBLIC:
            continue
        where = address(center_app, rule, _any(filled.ids))
        answer = client.get(where)
        if rule.arguments and "officer" in center_app.view_functions[rule.endpoint].needs_roles:
            assert answer.status_code == 404, f"{routes.named(rule)}: {answer.status_code}"
        leaked = [
            mark
            for mark in (filled.pharmacy.code, filled.pharmacy.name, *filled.marks)
            if mark in routes.said(answer) and mark not in where
        ]
        assert not leaked, f"{routes.named(rule)} shows {leaked}"


def test_our_officer_does_find_them(center_app, filled):
    """The test above could pass on an empty world; here the same addresses answer."""
    client = center_client(center_app)
    sign_in_officer(client, make_officer(center_app, "officer", "330212"))
    found = [
        client.get(address(center_app, rule, filled.ids)).status_code
        for rule in routes.rules_of(center_app)
        if rule.arguments
        and "GET" in rule.methods
        and rule.arguments <= filled.ids.keys()
        and "officer" in getattr(center_app.view_functions[rule.endpoint], "needs_roles", ())
    ]
    assert len(found) >= 5
    assert set(found) == {200}


def test_our_own_people_do_find_them(facility_app, filled):
    client = facility_app.test_client()
    sign_in(client, filled.pharmacy, filled.pharmacy.owner)
    for rule in routes.rules_of(facility_app):
        if (
            "GET" in rule.methods
            and rule.arguments
            and _is_for(facility_app, rule, "owner")
            and rule.endpoint != "counter.outcome"
        ):
            answer = client.get(address(facility_app, rule, filled.ids))
            why = re.sub(r"<[^>]+>|\s+", " ", routes.said(answer).partition("<main")[2])[:300]
            assert answer.status_code in {200, 303}, f"{routes.named(rule)}: {answer.status_code} {why}"


def _is_for(app, rule, role) -> bool:
    needed = getattr(app.view_functions[rule.endpoint], "needs_roles", None)
    return needed is not None and (not needed or role in needed)


def _any(ids) -> dict:
    return {**ids, "officer_id": 1, "infno": "1101"}


def _sources(name):
    return sorted(
        [
            *ROOT.glob(f"app/**/*{name}.py"),
            *ROOT.glob("app/core/door.py"),
            *ROOT.glob("app/core/account.py"),
            *ROOT.glob("app/core/shell.py"),
        ]
    )
