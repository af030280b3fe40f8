"""The demo's phone: a code is shown, scanned once, and outside the demo there is no such page."""

import re

import pytest

from app.center.registry import demo
from app.center.registry.actions import NewInstitution
from tests.center import world
from tests.center.interface.test_people import exchange


@pytest.fixture
def phone(center_app, monkeypatch):
    monkeypatch.setitem(center_app.config, "WTF_CSRF_ENABLED", False)
    monkeypatch.setitem(center_app.config, "DEMO", True)
    with center_app.app_context():
        demo.load([(NewInstitution("P33021200998", "阳光大药房", "330212"), b"demo")], [])
    return center_app.test_client()


def test_a_shown_code_is_scanned_once(center_app, phone):
    person = demo.persons()[0].new
    shop = world.Shop(center_app.test_client(), "P33021200998", b"demo")

    page = phone.post("/demo/ecert", data={"psn_no": person.psn_no})

    assert page.status_code == 200
    assert "data:image/svg+xml" in page.text
    code = re.search(r"\b\d{28}\b", page.text).group()
    assert exchange(shop, code).output["OutData"]["idNo"] == person.certno
    assert exchange(shop, code).code == "ECERT_NOT_USABLE"


def test_all_made_up_persons_are_listed(phone):
    page = phone.get("/demo/ecert")

    assert all(person.new.certno in page.text for person in demo.persons())


@pytest.mark.parametrize("psn_no", ["", "x", "\x00", "1" * 5000])
def test_nobody_else_gets_a_code(phone, psn_no):
    assert phone.post("/demo/ecert", data={"psn_no": psn_no}).status_code == 404


def test_outside_the_demo_there_is_no_such_page(center_app, phone, monkeypatch):
    monkeypatch.setitem(center_app.config, "DEMO", False)

    assert phone.get("/demo/ecert").status_code == 404
    assert phone.post("/demo/ecert", data={"psn_no": demo.persons()[0].new.psn_no}).status_code == 404
