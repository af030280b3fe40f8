"""取外配处方 on screen: the code is typed, the prescription shown masked, taken on, reviewed, given back; never in an address."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.errors import Outage
from app.core.hot import statements
from app.facility.insurance import outflow
from app.national import rx_code
from tests.center import world
from tests.center.outflow.papers import let_go, lock
from tests.facility.stock.conftest import text
from tests.facility.till.outflow.test_taking import national, review
from tests.factories.outflow import NAME, a_national_code, send_out
from tests.factories.people import add_person, browser, post
from tests.factories.shop import one

PAGE = "/till/outflow"


@pytest.fixture
def code(clinic, goods, pharmacy):
    return send_out(clinic, national(goods, pharmacy), a_national_code())[1]


def taken(clerk, code, **changes):
    form = {"document": str(uuid4()), "code": code, "line": ["1"], "packs": ["2"]} | changes
    return post(clerk, f"{PAGE}/taking", form)


def made(pharmacy):
    return one(pharmacy, "select id, state, given_back_at from prescription where tenant_id = %(t)s")


def test_the_page_asks_for_the_code(clerk):
    page = text(clerk.get(PAGE))

    assert "请扫患者的取药码" in page
    assert "取外配处方" in text(clerk.get("/till/prescriptions"))


def test_the_code_shows_drugs_and_hides_the_name(clerk, clinic, goods, code):
    page = text(post(clerk, PAGE, {"code": f"{rx_code.PREFIX}{rx_code.shown(code)}"}))

    assert "欧**配" in page
    assert NAME not in page
    assert 'name="packs"' in page
    assert "本店没有" in page
    assert "高血压" in page
    assert "接方" in page


@pytest.mark.parametrize(
    ("typed", "said"), [("123", "这不是取药码"), ("", "这不是取药码"), ("Z" * 16, "没有查到"), ("\x00", "这不是取药码")]
)
def test_a_wrong_code_is_said(clerk, typed, said):
    answer = post(clerk, PAGE, {"code": typed})

    assert answer.status_code in {409, 422}
    assert said in text(answer)


def test_a_center_that_is_away_is_said(clerk, code, monkeypatch):
    def away(*_):
        raise Outage("silent")

    monkeypatch.setattr(outflow, "fetch", away)

    answer = post(clerk, PAGE, {"code": code})

    assert answer.status_code == 503
    assert "没有回答" in text(answer)
    assert taken(clerk, code).status_code == 503


def test_taken_on_it_waits_for_the_pharmacist_and_is_given_back(facility_app, clerk, pharmacy, desk, code):
    form = {"document": str(uuid4())}
    answers = [taken(clerk, code, **form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    page = text(clerk.get(answers[0].location))
    assert "外配" in page
    assert "交还，让患者到别处取" in page
    assert code not in answers[0].location
    review(pharmacy, made(pharmacy).id)
    assert "state=passed" in taken(clerk, code).location
    layer = text(clerk.get("/counter/prescriptions"))
    assert f'"prescription": "{made(pharmacy).id}"' in layer

    back = post(clerk, f"{PAGE}/{made(pharmacy).id}/return", {})
    page = text(clerk.get(back.location))
    assert "患者可到别的药店取药" in page
    assert "已交还" in page
    assert made(pharmacy).state == "void"


def test_a_return_the_center_did_not_hear_may_be_repeated(clerk, pharmacy, desk, code, monkeypatch):
    taken(clerk, code)

    def away(*_):
        raise Outage("silent")

    with monkeypatch.context() as patch:
        patch.setattr(outflow, "let_go", away)
        first = post(clerk, f"{PAGE}/{made(pharmacy).id}/return", {})
    assert "再次交还" in text(clerk.get(first.location))
    second = post(clerk, f"{PAGE}/{made(pharmacy).id}/return", {})
    assert "再次交还" not in text(clerk.get(second.location))
    assert made(pharmacy).given_back_at is not None


def test_what_another_pharmacy_has_is_shown_as_taken(clerk, center_app, code):
    shop = world.make_shop(center_app)
    held = lock(shop, code).output["data"]

    page = text(post(clerk, PAGE, {"code": code}))
    answer = taken(clerk, code)

    assert "另一家药店正在配药" in page
    assert 'name="packs"' not in page
    assert answer.status_code == 409
    let_go(shop, held["rx_no"], 1)
    assert taken(clerk, code).status_code == 303


def test_nothing_of_it_here_is_said_and_nothing_is_locked(clerk, clinic, desk):
    _document, code = send_out(clinic, a_national_code())

    page = text(post(clerk, PAGE, {"code": code}))

    assert "本店都没有" in page
    assert taken(clerk, code).status_code == 422


@pytest.mark.parametrize("packs", ["", "0", "9", "x", "²", "9" * 9])
def test_wrong_packs_keep_the_page(clerk, pharmacy, desk, code, packs):
    answer = taken(clerk, code, packs=[packs])

    assert answer.status_code == 422
    assert "没有接方" in text(answer)
    assert 'name="packs"' in text(answer)
    assert made(pharmacy) is None


def test_looking_takes_few_statements(clerk, code):
    post(clerk, PAGE, {"code": code})

    with statements() as ran:
        post(clerk, PAGE, {"code": code})

    assert len([each for each in ran if "from product" in each]) == 1
    assert len([each for each in ran if "eprescription" in each]) <= 3


def test_strangers_and_those_without_a_part(facility_app, clerk, stranger, pharmacy, desk, code):
    taken(clerk, code)
    auditor = browser(facility_app, pharmacy, add_person(facility_app, pharmacy, "audit_admin"))

    assert post(stranger, f"{PAGE}/{made(pharmacy).id}/return", {}).status_code == 404
    assert auditor.get(PAGE).status_code == 403
    assert facility_app.test_client().get(PAGE).status_code in {302, 303, 401}
    assert made(pharmacy).state == "pending"


def test_it_speaks_english(clerk, pharmacy, clinic, code):
    clerk.set_cookie("lang", "en")

    for page in (text(clerk.get(PAGE)), text(post(clerk, PAGE, {"code": code}))):
        for chinese in ("外配", "处方", "药店", "本店"):
            assert chinese not in page.replace(NAME, "").replace(pharmacy.name, "")
