"""A recall of the center: one officer proposes, another approves, the institutions answer, and it ends for all of them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core import tenancy
from app.facility.stock.recalls import actions as facility_recalls
from tests.factories import people
from tests.factories.bridge import pull
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import desk_of, make_goods, one
from tests.guards.filled import deliver


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app, name="召回药店")


def officer(center_app, district="330212", role="officer"):
    client = people.center_client(center_app)
    people.sign_in_officer(client, people.make_officer(center_app, district=district, role=role))
    return client


def sent(national, /, **changes):
    return {
        "document": str(uuid4()), "level": "1", "name": "试药胶囊", "national": national, "approval": "", "maker": "", "spec": "", "lots": "CR01 CR02", "codes": "",
        "reason": "抽检不合格", "instructions": "停售封存", **changes,
    }  # fmt: skip


def page(client, address):
    return client.get(address).get_data(as_text=True)


def test_a_recall_goes_out_by_two_officers_and_comes_back_answered(facility_app, center_app, database_urls, pharmacy):
    national = f"XA{uuid4().hex[:18].upper()}"
    with facility_app.app_context(), pharmacy.acting():
        goods = make_goods(pharmacy, 3, national_code=national, lot_number="CR01")
    first, second = officer(center_app), officer(center_app)
    form = sent(national)
    where = f"/recalls/{form['document']}"

    assert people.post(first, "/recalls", form).status_code == 303
    assert "等另一位同事复核" in page(first, where)
    assert people.post(first, f"{where}/approvals").status_code == 409
    assert people.post(second, f"{where}/approvals").status_code == 303
    assert people.post(second, f"{where}/approvals").status_code == 409
    assert "还没收到" in page(first, where)

    pull(facility_app, center_app, pharmacy)
    pull(facility_app, center_app, pharmacy)  # The next question says that the news was taken.
    with facility_app.app_context(), pharmacy.acting():
        assert one(pharmacy, "select hold from lot where tenant_id = %(t)s").hold == "recalled"
        facility_recalls.report_recall(desk_of(pharmacy), form["document"], "已全部下架封存")
    deliver(center_app, database_urls, pharmacy)

    found = page(first, f"{where}?only=holding")
    assert "召回药店" in found
    assert "已收到" in found
    assert "已全部下架封存" in found
    assert f"{3 * goods.pack_size}" in found
    assert "召回药店" not in page(first, f"{where}?only=unreported")
    assert people.post(first, f"{where}/closings", {"summary": ""}).status_code == 422
    assert people.post(first, f"{where}/closings", {"summary": "召回完成"}).status_code == 303
    pull(facility_app, center_app, pharmacy)
    with facility_app.app_context(), pharmacy.acting():
        assert one(pharmacy, "select hold from lot where tenant_id = %(t)s").hold is None
    assert "已结束" in page(first, "/recalls")


@pytest.mark.parametrize(
    "change", [{"level": "7"}, {"name": ""}, {"national": ""}, {"reason": ""}, {"lots": "1" * 61}, {"document": "x"}]
)
def test_an_incomplete_recall_goes_nowhere(center_app, change):
    client = officer(center_app)
    form = sent("XA1", **change)

    assert people.post(client, "/recalls", form).status_code == 422


def test_who_only_looks_or_belongs_elsewhere_does_nothing(center_app):
    client, form = officer(center_app), sent("XA2")
    people.post(client, "/recalls", form)
    where = f"/recalls/{form['document']}"

    assert officer(center_app, district="330282").get(where).status_code == 404
    assert people.post(officer(center_app, district="330282"), f"{where}/approvals").status_code == 404
    auditor = officer(center_app, role="auditor")
    assert auditor.get("/recalls").status_code == 200
    assert auditor.get("/recalls/new").status_code == 403
    assert people.post(auditor, f"{where}/approvals").status_code == 403
    assert people.post(officer(center_app), f"{where}/refusals").status_code == 303


def test_english_speaks_english(center_app):
    client, form = officer(center_app), sent("XA3")
    people.post(client, "/recalls", form)
    client.set_cookie("lang", "en")

    assert "Propose a recall" in page(client, "/recalls")
    assert "Product name" in page(client, "/recalls/new")
    assert "Waiting for a colleague" in page(client, f"/recalls/{form['document']}")


def test_the_hours_of_a_class_are_data_with_dates(center_app):
    from app.center.db import run

    with center_app.app_context(), tenancy.acting_as(district="33"):
        found = run(
            "select name, value, valid_from from parameter where name like 'recall_hours_%' order by name"
        ).all()

    assert [(row.name[-1], row.value) for row in found] == [("1", "24"), ("2", "48"), ("3", "72")]
