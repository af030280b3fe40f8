"""外配 on screen: what may go out, what did, the paper with a code that a scanner reads; nothing of it for strangers."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from app.core import tenancy
from app.core.errors import Outage
from app.core.hot import statements
from app.facility.clinic.desk.rules import Line
from app.facility.insurance import outflow
from app.national import rx_code
from tests.center import world
from tests.center.outflow.papers import lock
from tests.facility.stock.conftest import next_page, text
from tests.factories.billing import signed_visit
from tests.factories.clinic import sheet
from tests.factories.outflow import NAME, a_national_code, code_of, ready_sheet, send_out
from tests.factories.people import add_person, browser, post
from tests.factories.shop import make_product
from tests.scanning import decode

PAGE = "/clinic/outflow"


def test_empty_lists_say_what_they_are_for(doctor):
    assert "没有可以外配的处方" in text(doctor.get(PAGE))
    assert "还没有外配过处方" in text(doctor.get(f"{PAGE}?show=sent"))
    assert "没有可以外配的处方" in text(doctor.get(f"{PAGE}?show=nonsense"))


def test_a_sheet_is_sent_out_and_stands_among_the_sent(doctor, clinic, order, center_app):
    assert "外配这张" in text(doctor.get(PAGE))
    document = str(uuid4())

    answers = [post(doctor, f"{PAGE}/sheets/{order}", {"document": document}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    page = text(doctor.get(answers[0].location))
    assert rx_code.shown(code_of(clinic, document)) in page
    assert "待取药" in page
    assert "没有可以外配的处方" in text(doctor.get(PAGE))


def test_a_sheet_with_loose_units_says_why_it_stays(doctor, clinic):
    product = make_product(clinic, national_code=a_national_code(), rx_class="RX")
    loose = Line(product, 6, split=True, frequency="每日 1 次", route="口服", days=6)
    with tenancy.as_tenant(clinic.tenant_id):
        signed_visit(clinic, sheet("WESTERN", loose))
    page = text(doctor.get(PAGE))
    assert "这张处方有不是整盒的药" in page
    assert re.search(r"<button[^>]*data-primary disabled", page)


def test_the_paper_carries_a_code_that_a_scanner_reads(doctor, clinic):
    document, code = send_out(clinic)

    page = text(doctor.get(f"{PAGE}/{document}/print"))

    drawn = re.search(r"<svg[^>]*class=\"qr\".*?</svg>", page, re.DOTALL).group(0)
    assert decode(drawn, scale=6) == rx_code.PREFIX + code
    assert rx_code.shown(code) in page
    assert NAME in page
    assert NAME not in decode(drawn, scale=6)


def test_the_center_is_asked_how_they_stand(doctor, clinic, center_app):
    document, code = send_out(clinic)
    lock(world.make_shop(center_app), code)

    first = text(doctor.get(f"{PAGE}?show=sent"))
    part = text(post(doctor, f"{PAGE}/standing?open={document}", {"before": ""}))

    assert 'hx-trigger="load"' in first
    assert "药店配药中" in part
    assert "hx-trigger" not in part
    assert "正在配药" in text(doctor.get(f"{PAGE}?show=sent&open={document}"))


def test_a_center_that_is_away_is_said_in_place(doctor, clinic, monkeypatch):
    send_out(clinic)

    def away(*_):
        raise Outage("silent")

    monkeypatch.setattr(outflow, "statuses", away)

    part = text(post(doctor, f"{PAGE}/standing", {}))

    assert "中心现在没有回答" in part
    assert "待取药" in part


def test_voiding_asks_for_a_reason_and_says_what_came_of_it(doctor, clinic, center_app):
    document, code = send_out(clinic)
    shop = world.make_shop(center_app)
    lock(shop, code)

    assert post(doctor, f"{PAGE}/{document}/void", {"reason": " "}).status_code == 422
    refused = post(doctor, f"{PAGE}/{document}/void", {"reason": "不去了"})
    assert "没有作废" in text(doctor.get(refused.location))
    shop.ask("S014", {"data": {"rx_no": lock(shop, code).output["data"]["rx_no"], "lock_sn": "1"}})
    done = post(doctor, f"{PAGE}/{document}/void", {"reason": "不去了"})
    assert "取药码不能再用" in text(doctor.get(done.location))
    assert doctor.get(f"{PAGE}/{document}/print").status_code == 404


def test_a_question_without_an_answer_is_shown_as_open(doctor, clinic, order, monkeypatch):
    from app.facility.insurance import machine

    def quiet(attempt):
        raise Outage("silent")

    monkeypatch.setattr(machine, "_send", quiet)

    answer = post(doctor, f"{PAGE}/sheets/{order}", {"document": str(uuid4())})

    page = text(doctor.get(answer.location))
    assert "正在与中心核对" in page
    assert "核对中" in page


def test_what_cannot_go_out_is_refused_in_words(doctor, clinic, order):
    post(doctor, f"{PAGE}/sheets/{order}", {"document": str(uuid4())})

    assert post(doctor, f"{PAGE}/sheets/{order}", {"document": str(uuid4())}).status_code == 409
    assert post(doctor, f"{PAGE}/sheets/{order}", {"document": "x"}).status_code == 422
    assert post(doctor, f"{PAGE}/sheets/{uuid4()}", {"document": str(uuid4())}).status_code == 404


def test_long_lists_have_pages_and_few_statements(doctor, clinic, database_urls):
    from launcher.databases import connect

    first = ready_sheet(clinic)
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute(
            "insert into clinic_order select (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(), 'number', o.number || '-' || n, 'signed_at', o.signed_at - make_interval(mins => n)))).*"
            " from clinic_order o cross join generate_series(1, 55) n where o.id = %s",
            (first,),
        )
    text(doctor.get(PAGE))

    with statements() as ran:
        page = text(doctor.get(PAGE))

    assert page.count('class="b nm"') == 50
    assert len([one for one in ran if "clinic_order" in one]) == 3
    assert text(doctor.get(next_page(page))).count('class="b nm"') == 6


def test_strangers_and_those_without_a_part_see_nothing(facility_app, clinic, stranger, order):
    document, _code = send_out(clinic)
    nurse = browser(facility_app, clinic, clinic.nurse)
    auditor = browser(facility_app, clinic, add_person(facility_app, clinic, "audit_admin"))

    for path in (f"{PAGE}/{document}/print",):
        assert stranger.get(path).status_code == 404
    assert post(stranger, f"{PAGE}/{document}/void", {"reason": "x"}).status_code == 404
    assert post(stranger, f"{PAGE}/sheets/{order}", {"document": str(uuid4())}).status_code == 404
    assert "没有可以外配的处方" in text(stranger.get(PAGE))
    assert nurse.get(PAGE).status_code == auditor.get(PAGE).status_code == 403


@pytest.mark.parametrize("query", ["?before=x", "?before=_", "?open=x", "?show=sent&before=2026-11-22_x"])
def test_strange_addresses_are_harmless(doctor, order, query):
    assert doctor.get(PAGE + query).status_code == 200


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}?show=sent"])
def test_pages_speak_english(doctor, clinic, order, path):
    send_out(clinic)
    doctor.set_cookie("lang", "en")

    page = text(doctor.get(path))

    for chinese in ("外配", "处方", "药店", "作废"):
        assert chinese not in page.replace(NAME, "")
