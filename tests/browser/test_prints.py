"""Every paper of a clinic is readable for people who do not see: prescription, treatment, summary, slips, list, labels, note, day."""

from __future__ import annotations

import secrets
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shop_of
from tests.browser.hands import check_axe


@pytest.fixture
def papers(wings):
    """A paid visit at 二号诊所 of which one pack was given back; who signed it, and the addresses of its papers."""
    from app.core import clock
    from app.facility.clinic.charging import refunds
    from app.facility.clinic.charging.refund_plans import Back
    from app.facility.clinic.practice import actions as practice
    from app.facility.db import run
    from launcher.world import PLACES
    from tests.factories.billing import charged_visit
    from tests.factories.clinic import Clinic, make_service, sheet
    from tests.factories.shop import desk_of, open_shift

    at, mark = shop_of(wings, PLACES[1]), secrets.token_hex(3)
    doctor, clerk = at.new_staff("doctor", "江海明"), at.new_staff("clerk")
    drug = at.covered(generic_name="苯磺酸氨氯地平片", spec="5mg×28片")
    with at.app.app_context(), at.pharmacy.acting():
        people = {one: run("select id from staff where number = :n", n=one).scalar_one() for one in (doctor, clerk)}
        department = practice.add_department(desk_of(at.pharmacy), mark, "全科", "A02")
        room = practice.add_room(desk_of(at.pharmacy), f"诊室{mark}")
        rights = practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=9))
        practice.set_practitioner(desk_of(at.pharmacy), people[doctor], rights)
        known = {field: getattr(at.pharmacy, field) for field in at.pharmacy.__dataclass_fields__}
        clinic = Clinic(**known | {"clerk": people[clerk]}, doctor=people[doctor], department=department, room=room)
        cashier = desk_of(clinic)
        open_shift(cashier)
        service = make_service(clinic, code=f"T{secrets.token_hex(4)}", generic_name="针刺治疗")
        drugs, treatment = sheet("WESTERN", (drug.product_id, 48)), sheet("TREATMENT", (service, 1))
        visit, bill = charged_visit(clinic, drugs, treatment)
        refund = uuid4()
        refunds.refund_bill(cashier, refund, bill, "not_dispensed", [Back(1, 1)])
    addresses = [
        f"/clinic/desk/sheets/{drugs.id}/paper", f"/clinic/desk/sheets/{treatment.id}/treatment", f"/clinic/desk/visits/{visit}/summary",
        *(f"/clinic/charging/bills/{bill}/receipt?size={size}" for size in ("80", "58", "a5")), f"/clinic/charging/bills/{bill}/items",
        f"/clinic/charging/refunds/{refund}/receipt", f"/clinic/charging/refunds/{refund}/receipt?size=a5",
        "/clinic/day/doctors/print",
    ]  # fmt: skip
    handed = [f"/clinic/dispensing/sheets/{drugs.id}/{one}" for one in ("labels", "note")]
    return SimpleNamespace(shop=at, people={doctor: addresses, at.new_staff("pharmacist"): handed})


def test_every_paper_of_a_clinic_is_clean(product, papers, sign_in):
    wrong = []
    for number, addresses in papers.people.items():
        page = sign_in(papers.shop, number)
        for address in addresses:
            assert page.goto(f"{product.url}{address}").ok, address
            expect(page.locator("h1").first).to_be_visible()
            try:
                check_axe(page, address)
            except AssertionError as found:
                wrong.append(str(found))
    assert not wrong, "\n".join(wrong)
