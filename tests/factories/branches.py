"""A second shop of the same organization, known to the center, with people of its own."""

from __future__ import annotations

import itertools
from dataclasses import replace

from app.core import tenancy
from tests.factories.city import register
from tests.factories.people import PASSWORD, make_code

_turn = itertools.count(1)


def make_branch(facility_app, center_app, pharmacy, name="一号药店二店"):
    """Another facility of a pharmacy's organization: the same owner, a clerk and a pharmacist of its own."""
    from app.facility.organizations import actions
    from app.facility.organizations.actions import NewFacility, NewStaff
    from app.facility.organizations.rules import Grant

    code = make_code("P", pharmacy.district)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        opened = actions.open_facility(NewFacility(code, name, pharmacy.district, "鄞州区"))
        numbers, ids = dict(pharmacy.numbers), []
        for role, person in (("clerk", "陈小妹"), ("pharmacist", "林药师")):
            number = f"b{next(_turn):03d}"
            new = NewStaff(number, person, password=PASSWORD)
            ids.append(actions.add_staff(new, [Grant(role, opened.facility_id)]).staff_id)
            numbers[ids[-1]] = number
    branch = replace(
        pharmacy, facility_id=opened.facility_id, code=code, name=name, center_secret=opened.center_secret,
        clerk=ids[0], pharmacist=ids[1], numbers=numbers,
    )  # fmt: skip
    if center_app is not None:
        register(center_app, branch)
    return branch
