"""The cashier's pages: who pays, what, once; told politely when somebody else was there; kept from strangers."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.db import run
from app.facility.insurance import desk as desks
from launcher import translations
from launcher.databases import connect
from tests.facility.stock.conftest import next_page, text
from tests.factories.billing import insured_visit, open_bill, signed_visit
from tests.factories.city import make_covered_goods, make_insured
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit, sheet, sign
from tests.factories.people import PASSWORD, browser
from tests.factories.people import post as post_form
from tests.factories.shop import make_goods

translations.prepare()


def post(client, address, **data):
    return post_form(client, address, data)


@pytest.fixture
def clerk(facility_app, clinic, desk):
    """The clerk's browser, at a till that is open."""
    return browser(facility_app, clinic, clinic.clerk)


@pytest.fixture
def visit(clinic, desk):
    """Two packs at 12.50 and a treatment of 20 yuan."""
    goods = make_goods(clinic, 10)
    return signed_visit(clinic, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (make_service(clinic), 1)))


@pytest.fixture
def insured(clinic, desk, center_app):
    goods = make_covered_goods(center_app, clinic)
    service = make_service(clinic, national_code=None, insurance_class=None)
    person = make_insured(center_app)
    made = insured_visit(clinic, person, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (service, 1)))
    return *made, person


def bill_of(answer):
    return answer.location.rpartition("/")[2].partition("?")[0]


def open_over(clerk, visit, **fields):
    told = {"document": str(uuid4()), "sheet": [str(one) for one in visit[1]], "paid": "self"} | fields
    made = post(clerk, f"/clinic/charging/visits/{visit[0]}/bills", **told)
    assert made.status_code == 303, text(made)[:2000]
    return bill_of(made)


def settle(clerk, bill, *tenders, **fields):
    version = run("select version from bill where id = :b", b=bill).scalar_one()
    told = {"version": version, "tenders": json.dumps([{"kind": kind, "amount": fen} for kind, fen in tenders])}
    return post(clerk, f"/clinic/charging/bills/{bill}/settlement", **told | fields)


def state_of(bill):
    return run("select state from bill where id = :b", b=bill).scalar_one()


def test_whoever_has_something_to_pay_stands_in_the_list_and_is_found(clinic, clerk, visit):
    number = run("select number from visit where id = :v", v=visit[0]).scalar_one()
    ticket = run("select ticket from visit where id = :v", v=visit[0]).scalar_one()
    page = text(clerk.get("/clinic/charging"))
    assert f"/clinic/charging/visits/{visit[0]}" in page
    assert "45.00" in page
    assert 'href="/clinic/charging"' in page

    for typed in (number, number.lower(), str(ticket)):
        found = post(clerk, "/clinic/charging", q=typed)
        assert found.location.endswith(f"/clinic/charging/visits/{visit[0]}")
    nobody = text(post(clerk, "/clinic/charging", q="查无此人"))
    assert "没有找到这次就诊" in nobody


def test_what_was_not_paid_yesterday_stands_in_a_list_of_its_own(clinic, clerk, visit, database_urls):
    assert "以前的单子都收了" in text(clerk.get("/clinic/charging?list=older"))
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute(
            "update clinic_order set signed_at = signed_at - interval '1 day', valid_until = valid_until - 1 where visit_id = %s",
            (visit[0],),
        )
    assert str(visit[0]) not in text(clerk.get("/clinic/charging"))
    page = text(clerk.get("/clinic/charging?list=older"))
    assert str(visit[0]) in page
    assert "已过有效期" in page
    for _turn in range(50):
        signed_visit(clinic, sheet("TREATMENT", (make_service(clinic), 1)))
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute(
            "update clinic_order set signed_at = signed_at - interval '2 days' where facility_id = %s",
            (clinic.facility_id,),
        )
    following = next_page(text(clerk.get("/clinic/charging?list=older")))
    assert "list=older" in following
    assert "收第一位的费" in text(clerk.get(following))


def test_the_words_are_a_clinics_and_slips_name_the_patient(clinic, clerk, desk):
    patient = make_patient(clinic, name="欧阳小宝")
    visit, sheets = signed_visit(clinic, sheet("TREATMENT", (make_service(clinic), 2)), patient_id=patient)
    bill = open_over(clerk, (visit, sheets))
    page = text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert "代办人、监护人姓名" in page
    assert "代购" not in page
    settle(clerk, bill, ("cash", 4000))
    told = {"document": str(uuid4()), "quantity-1": "1", "reason": "not_dispensed"}
    net = text(post(clerk, f"/clinic/charging/bills/{bill}/refunds/preview", **told))
    assert "退患者现金" in net
    assert "顾客" not in net
    gone = post(clerk, f"/clinic/charging/bills/{bill}/refunds", **told)
    for slip in (f"/clinic/charging/bills/{bill}/receipt", f"{gone.location}/receipt"):
        assert "欧阳小宝" in text(clerk.get(slip))


def test_a_till_is_opened_before_anything_is_charged(facility_app, clinic, visit):
    client = browser(facility_app, clinic, clinic.owner)
    assert "开班后开始收银" in text(client.get("/clinic/charging"))
    elsewhere = post(client, "/till/shifts", document=str(uuid4()), float="0", then="//evil.example")
    assert elsewhere.location.endswith("/counter")


def test_sheets_become_a_bill_that_is_paid_by_several_means(clerk, visit):
    bill = open_over(clerk, visit)
    page = text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert "45.00" in page
    assert "待收费" in page

    short = settle(clerk, bill, ("cash", 1000))
    assert short.status_code >= 400
    assert "45.00" in text(short)
    paid = settle(clerk, bill, ("wechat", 2000), ("cash", 3000))
    assert paid.status_code == 303
    done = text(clerk.get(paid.location))
    assert "data-just-settled" in done
    assert "5.00" in done  # the change
    assert "微信" in done
    assert settle(clerk, bill, ("wechat", 2000), ("cash", 3000), version=1).status_code == 303
    assert run("select count(*) from tender where document_id = :b", b=bill).scalar_one() == 2
    assert bill in text(clerk.get("/clinic/charging/bills?list=settled"))
    assert str(visit[0]) not in text(clerk.get("/clinic/charging"))


def test_an_insured_bill_shows_its_split_and_wants_the_patients_consent(clerk, insured):
    bill = open_over(clerk, insured, paid="insured")
    page = text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert "统筹支付" in page
    assert "患者同意自费 20.00 元" in page
    due = run("select (preview ->> 'cash_fen')::int from bill where id = :b", b=bill).scalar_one()

    refused = settle(clerk, bill, ("cash", due))
    assert refused.status_code == 409
    assert "请先向患者说明" in text(refused)
    paid = settle(clerk, bill, ("cash", due), consent="1")
    assert paid.status_code == 303
    done = text(clerk.get(paid.location))
    assert "患者同意自费" in done
    assert state_of(bill) == "settled"


def test_the_payer_changes_until_it_is_paid(clerk, insured, center_app):
    bill = open_over(clerk, insured)
    other = make_insured(center_app)
    refused = post(clerk, f"/clinic/charging/bills/{bill}/card", text=other.card)
    assert "不能走医保" in text(refused)
    read = post(clerk, f"/clinic/charging/bills/{bill}/card", text=insured[2].card)
    assert read.status_code == 303
    assert "统筹支付" in text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert insured[2].card not in text(clerk.get(f"/clinic/charging/bills/{bill}"))
    post(clerk, f"/clinic/charging/bills/{bill}/payer", paid="self")
    assert run("select paid from bill where id = :b", b=bill).scalar_one() == "self"
    post(clerk, f"/clinic/charging/bills/{bill}/payer", paid="insured")
    assert run("select preview is not null from bill where id = :b", b=bill).scalar_one()
    post(clerk, f"/clinic/charging/bills/{bill}/preview", account="0")
    assert run("select (preview ->> 'account')::boolean from bill where id = :b", b=bill).scalar_one() is False


def test_somebody_looks_at_the_card_and_its_holder_before_it_goes_on(clerk, insured):
    bill = open_over(clerk, insured, paid="insured")
    matched = post(clerk, f"/clinic/charging/bills/{bill}/person", decision="checked", reason_code="document_seen")
    assert matched.status_code == 303
    assert "人证一致" in text(clerk.get(f"/clinic/charging/bills/{bill}"))
    post(clerk, f"/clinic/charging/bills/{bill}/person", decision="blocked", reason_code="not_the_person")
    assert run("select paid from bill where id = :b", b=bill).scalar_one() == "self"


def test_a_center_that_does_not_answer_is_said_and_nothing_is_lost(clerk, insured, monkeypatch):
    from app.core.errors import Outage

    monkeypatch.setattr(desks, "ask_once", lambda *_, **__: (_ for _ in ()).throw(Outage("silence")))
    bill = open_over(clerk, insured, paid="insured")
    page = text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert "没有回答" in page
    assert post(clerk, f"/clinic/charging/bills/{bill}/preview").status_code == 503
    assert state_of(bill) == "open"


def test_an_unknown_outcome_asks_by_itself(clerk, insured, facility_app, monkeypatch):
    from app.core.errors import Outage

    bill = open_over(clerk, insured, paid="insured")
    due = run("select (preview ->> 'cash_fen')::int from bill where id = :b", b=bill).scalar_one()
    with monkeypatch.context() as patch:
        patch.setattr(desks.national_client(), "ask", lambda _call: (_ for _ in ()).throw(Outage("silence")))
        settle(clerk, bill, ("cash", due), consent="1")
    page = text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert "请勿再次刷卡" in page
    assert 'hx-trigger="every 2s"' in page
    assert post(clerk, f"/clinic/charging/bills/{bill}/surrender").status_code == 303
    assert "核对中" in text(clerk.get("/clinic/charging"))


def test_two_cashiers_at_one_bill_and_a_doctor_who_writes_on_are_told(facility_app, clinic, clerk, visit):
    other = browser(facility_app, clinic, clinic.owner)
    post(other, "/till/shifts", document=str(uuid4()), float="0", then="/clinic/charging")
    bill = open_over(clerk, visit)

    taken = post(other, f"/clinic/charging/visits/{visit[0]}/bills", document=str(uuid4()), sheet=str(visit[1][0]), paid="self")  # fmt: skip
    assert taken.status_code == 409
    assert "请到那张单上继续" in text(taken)
    doctor = browser(facility_app, clinic, clinic.doctor)
    assert doctor.get(f"/clinic/charging/visits/{visit[0]}").status_code == 200
    assert settle(clerk, bill, ("cash", 4500)).status_code == 303
    late = settle(other, bill, ("bank", 4500), version=1)
    assert late.status_code in {409, 422}
    late = settle(other, bill, ("card", 4500), version=1)
    assert "不要再收一次" in text(late)
    assert run("select count(*) from tender where document_id = :b", b=bill).scalar_one() == 1


def test_a_doctor_takes_the_money_at_the_desk(facility_app, clinic, visit):
    doctor = browser(facility_app, clinic, clinic.doctor)
    opened = post(doctor, "/till/shifts", document=str(uuid4()), float="0", then="/clinic/charging")
    assert opened.location.endswith("/clinic/charging")
    bill = open_over(doctor, visit)
    assert settle(doctor, bill, ("wechat", 4500)).status_code == 303
    assert state_of(bill) == "settled"


def test_a_cancelled_bill_leads_back_to_the_sheets(clerk, visit):
    bill = open_over(clerk, visit)
    assert post(clerk, f"/clinic/charging/bills/{bill}/cancellation", version=9).status_code == 409
    back = post(clerk, f"/clinic/charging/bills/{bill}/cancellation", version=1)
    assert back.location.endswith(f"/clinic/charging/visits/{visit[0]}")
    assert f'value="{visit[1][0]}"' in text(clerk.get(back.location))


def test_the_patient_takes_a_slip_home_and_a_second_print_says_so(clerk, insured):
    bill = open_over(clerk, insured, paid="insured")
    assert clerk.get(f"/clinic/charging/bills/{bill}/receipt").status_code == 404
    due = run("select (preview ->> 'cash_fen')::int from bill where id = :b", b=bill).scalar_one()
    settle(clerk, bill, ("cash", due), consent="1")
    for size in ("80", "58", "a5", "'"):
        slip = text(clerk.get(f"/clinic/charging/bills/{bill}/receipt?size={size}"))
        for word in (
            "门诊收费结算单",
            "全自费",
            "先行自付",
            "超限价",
            "符合范围",
            "起付线",
            "统筹支付",
            "个人账户",
            "共济账户",
            "个人现金",
            "账户结余",
        ):
            assert word in slip
        assert "补打 1" not in slip
    assert 'class="qr"' in slip
    first = text(post(clerk, f"/clinic/charging/bills/{bill}/receipts", size="80"))
    assert "补打 1" not in first
    assert "补打 1" in text(post(clerk, f"/clinic/charging/bills/{bill}/receipts", size="80"))
    items = text(clerk.get(f"/clinic/charging/bills/{bill}/items"))
    assert "门诊费用清单" in items
    assert "45.00" in items


def test_one_line_goes_back_and_what_each_gets_is_shown_before(clerk, visit):
    bill, document = open_over(clerk, visit), str(uuid4())
    settle(clerk, bill, ("wechat", 2000), ("cash", 2500))
    form = text(clerk.get(f"/clinic/charging/bills/{bill}/refunds/new"))
    assert 'data-most="2"' in form
    chosen = {"document": document, "quantity-1": "1", "quantity-2": "0", "reason": "not_dispensed"}
    net = text(post(clerk, f"/clinic/charging/bills/{bill}/refunds/preview", **chosen))
    assert "12.50" in net
    assert run("select count(*) from bill_refund").scalar_one() == 0
    for wrong in ({"quantity-1": "3"}, {"quantity-1": "x"}, {"quantity-1": "0"}, {"reason": "抽大钞"}):
        refused = post(clerk, f"/clinic/charging/bills/{bill}/refunds", **chosen | wrong)
        assert refused.status_code in {409, 422}
    done = post(clerk, f"/clinic/charging/bills/{bill}/refunds", **chosen)
    assert done.status_code == 303
    page = text(clerk.get(done.location))
    assert "退患者现金 12.50 元" in page
    voucher = text(clerk.get(f"{done.location}/receipt"))
    assert "门诊退费凭证" in voucher
    assert "12.50" in voucher
    assert done.location.rpartition("/")[2] in text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert post(clerk, f"/clinic/charging/bills/{bill}/refunds", **chosen).location == done.location


def test_part_of_an_insured_bill_wants_another_person(clerk, clinic, insured):
    bill = open_over(clerk, insured, paid="insured")
    due = run("select (preview ->> 'cash_fen')::int from bill where id = :b", b=bill).scalar_one()
    settle(clerk, bill, ("cash", due), consent="1")
    chosen = {"document": str(uuid4()), "quantity-1": "1", "reason": "billing_error"}
    net = text(post(clerk, f"/clinic/charging/bills/{bill}/refunds/preview", **chosen))
    assert "须第二人同意" in net
    assert "重新结算" in net
    alone = post(clerk, f"/clinic/charging/bills/{bill}/refunds", **chosen)
    assert "须第二人同意" in text(alone)
    wrong = post(clerk, f"/clinic/charging/bills/{bill}/refunds", **chosen, approver="001", approver_password="wrong")
    assert wrong.status_code == 422
    done = post(clerk, f"/clinic/charging/bills/{bill}/refunds", **chosen, approver="001", approver_password=PASSWORD)
    assert "已退款" in text(clerk.get(done.location))


def test_what_cannot_be_paid_yet_says_why(clinic, clerk):
    goods = make_goods(clinic, 2)
    visit = make_visit(clinic)
    sign(clinic, visit, sheet("WESTERN", (goods.product_id, 24)))
    assert "等药师审方" in text(clerk.get(f"/clinic/charging/visits/{visit}"))
    nothing = post(clerk, f"/clinic/charging/visits/{visit}/bills", document=str(uuid4()), paid="self")
    assert nothing.status_code == 409
    assert "没有可以收费的单子" in text(nothing)


def test_a_stranger_and_another_room_find_nothing(facility_app, clinic, desk, visit):
    bill, _version = open_bill(desk, *visit)
    other = make_clinic(facility_app, name="别家诊所")
    stranger = browser(facility_app, other, other.owner)
    for address in (f"/clinic/charging/visits/{visit[0]}", f"/clinic/charging/bills/{bill}"):
        assert stranger.get(address).status_code == 404
    for act in ("settlement", "card", "payer", "person", "preview", "surrender", "cancellation"):
        assert post(stranger, f"/clinic/charging/bills/{bill}/{act}").status_code == 404
    assert stranger.get(f"/clinic/charging/bills/{bill}/refunds/new").status_code == 404
    assert stranger.get(f"/clinic/charging/refunds/{uuid4()}").status_code == 404
    for page in ("receipt", "items"):
        assert stranger.get(f"/clinic/charging/bills/{bill}/{page}").status_code == 404
    assert post(stranger, f"/clinic/charging/bills/{bill}/receipts").status_code == 404
    for act in ("refunds", "refunds/preview"):
        told = {"document": str(uuid4()), "reason": "billing_error", "quantity-1": "1"}
        assert post(stranger, f"/clinic/charging/bills/{bill}/{act}", **told).status_code == 404
    nurse = browser(facility_app, clinic, clinic.nurse)
    assert nurse.get("/clinic/charging").status_code == 403
    assert state_of(bill) == "open"


def test_english_speaks_english(clerk, visit):
    bill = open_over(clerk, visit)
    clerk.set_cookie("lang", "en")
    for address in (
        "/clinic/charging",
        f"/clinic/charging/visits/{visit[0]}",
        f"/clinic/charging/bills/{bill}",
        "/clinic/charging/bills",
    ):
        page = clerk.get(address)
        assert page.status_code == 200
    assert "Reprints and refunds" in text(page)


def test_the_pages_take_the_same_statements_however_long_the_bill(clinic, clerk, desk):
    packs = [make_goods(clinic, 2) for _ in range(5)]
    service = make_service(clinic, pack_price=Decimal("1.00"))
    counts = []
    clerk.get("/clinic/charging")
    for sheets in ([sheet("WESTERN", (packs[0].product_id, 24))], [sheet("WESTERN", *((goods.product_id, 24) for goods in packs)), sheet("TREATMENT", *[(service, 1)] * 15)]):  # fmt: skip
        visit = signed_visit(clinic, *sheets)
        bill, _version = open_bill(desk, *visit)
        counts.append(
            min(_asked_for(clerk, bill, visit[0]) for _ in range(2))
        )  # Now and then the session is noted as well.
    assert counts[0] == counts[1] <= 20


def _asked_for(clerk, bill, visit):
    with statements() as ran:
        for address in (f"bills/{bill}", f"visits/{visit}", ""):
            assert clerk.get(f"/clinic/charging/{address}".rstrip("/")).status_code == 200
    return len(ran)


def test_an_emergency_goes_first_where_the_person_waits_to_pay(facility_app, clinic, clerk):
    urgent, plain = (sheet("WESTERN", (make_goods(clinic, 10).product_id, 24), tag=tag) for tag in ("emergency", "ordinary"))  # fmt: skip
    visit = make_visit(clinic)
    sign(clinic, visit, urgent, plain)
    to = f"/clinic/charging/visits/{visit}"
    assert "医师在这一页可以急诊先行" in text(clerk.get(to))
    doctor = browser(facility_app, clinic, clinic.doctor)
    page = text(doctor.get(to))
    assert (f'id="let-{urgent.id}"' in page, f'id="let-{plain.id}"' in page) == (True, False)

    told = {"document": str(uuid4()), "note": "休克"}
    assert post(clerk, f"{to}/sheets/{urgent.id}/emergencies", **told).status_code == 403
    refused = post(doctor, f"{to}/sheets/{urgent.id}/emergencies", **told | {"note": ""})
    assert (refused.status_code, "要写原因" in text(refused)) == (422, True)
    assert post(doctor, f"{to}/sheets/{plain.id}/emergencies", **told).status_code == 409
    assert post(doctor, f"{to}/sheets/{urgent.id}/emergencies", **told).status_code == 303
    assert f'value="{urgent.id}"' in text(clerk.get(to))  # It may be ticked and paid now.

    other = make_clinic(facility_app)
    stranger = browser(facility_app, other, other.doctor)
    assert post(stranger, f"{to}/sheets/{urgent.id}/emergencies", **told).status_code == 404
    elsewhere = make_visit(clinic)
    assert (
        post(doctor, f"/clinic/charging/visits/{elsewhere}/sheets/{urgent.id}/emergencies", **told).status_code == 404
    )
