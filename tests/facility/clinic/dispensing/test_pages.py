"""Dispensing over HTTP: the queue, packs scanned to their lines, the checker's password, prints, what a stranger finds."""

import html
import re
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.dispensing import queries, returning
from app.facility.clinic.review import queries as review_queries
from app.facility.db import run
from tests.factories.billing import charged_visit
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit, sheet, sign
from tests.factories.people import PASSWORD, browser, post
from tests.factories.shop import desk_of, make_goods, make_twins


@pytest.fixture
def pharmacist(facility_app, clinic):
    return browser(facility_app, clinic, clinic.pharmacist)


@pytest.fixture
def nurse(facility_app, clinic):
    return browser(facility_app, clinic, clinic.nurse)


def text(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def hand(client, order, *codes, quantity="2", checker="005", password=PASSWORD):
    told = {"document": str(uuid4()), "line": "1", "quantity": quantity, "code": [f"1:{code}" for code in codes], "checker": checker, "checker_password": password}  # fmt: skip
    return post(client, f"/clinic/dispensing/sheets/{order}/handings", told)


def scan(client, order, code, *before):
    return post(
        client, f"/clinic/dispensing/sheets/{order}/scans", {"scan": code, "code": [f"1:{one}" for one in before]}
    )


def test_packs_are_scanned_checked_and_handed_over(pharmacist, goods, order):
    page = text(pharmacist, "/clinic/dispensing")
    assert goods.name in page
    assert goods.lot_number in page
    assert "0/2" in page
    first = scan(pharmacist, order, goods.codes[0]).get_data(as_text=True)
    assert "1/2" in first
    assert f'value="1:{goods.codes[0]}"' in first
    assert "2/2" in scan(pharmacist, order, goods.codes[1], goods.codes[0]).get_data(as_text=True)
    for wrong in (goods.codes[0], "83000000000000000000"):
        assert scan(pharmacist, order, wrong, goods.codes[0]).status_code == 409
    assert "已经够了" in scan(pharmacist, order, goods.codes[2], *goods.codes[:2]).get_data(as_text=True)

    assert hand(pharmacist, order, *goods.codes[:2]).status_code == 303
    assert "都发完了" in text(pharmacist, f"/clinic/dispensing/sheets/{order}")
    assert "没有要发的药" in text(pharmacist, "/clinic/dispensing")
    assert "D26" in text(pharmacist, "/clinic/dispensing?list=done")


def test_the_checker_is_somebody_else_with_their_own_password(pharmacist, nurse, goods, order):
    for checker, password in (("003", PASSWORD), ("005", "wrong"), ("", "")):
        answer = hand(pharmacist, order, *goods.codes[:2], checker=checker, password=password)
        assert answer.status_code == 422
        assert f'value="1:{goods.codes[0]}"' in answer.get_data(as_text=True)  # What was scanned stays.
    assert hand(nurse, order, *goods.codes[:2], checker="004").status_code == 422  # One of the two is a pharmacist.
    assert hand(nurse, order, *goods.codes[:2], checker="003").status_code == 303


def test_another_drug_is_refused_in_words(clinic, pharmacist, order):
    other = make_goods(clinic, 1)
    assert "处方上的药不能换" in scan(pharmacist, order, other.codes[0]).get_data(as_text=True)


def test_a_later_lot_is_asked_about_where_it_was_scanned_and_stands_in_the_register(
    facility_app, clinic, pharmacist, goods, order
):
    later = make_goods(clinic, 2, product_id=goods.product_id, expires_in=700)
    assert 'name="why_1"' not in scan(pharmacist, order, goods.codes[0]).get_data(as_text=True)
    asked = scan(pharmacist, order, later.codes[0], goods.codes[0]).get_data(as_text=True)
    assert f"{goods.lot_number} 先到期，为什么发后到期的" in asked
    assert '<option value="in_hand">' in asked
    packs = {"line": "1", "quantity": "2", "code": [f"1:{code}" for code in (goods.codes[0], later.codes[0])], "checker": "005", "checker_password": PASSWORD}  # fmt: skip
    to = f"/clinic/dispensing/sheets/{order}"
    refused = post(pharmacist, f"{to}/handings", packs | {"document": str(uuid4()), "why_1": "other"})
    assert refused.status_code == 422
    assert '<option value="other" selected>' in refused.get_data(as_text=True)
    assert post(pharmacist, f"{to}/handings", packs | {"document": str(uuid4()), "why_1": "patient"}).status_code == 303
    assert f"发了 {later.lot_number}，先到期的 {goods.lot_number} 留在架上：患者要求" in text(pharmacist, to)
    register = text(browser(facility_app, clinic, clinic.owner), "/clinic/day/swaps")
    assert "患者要求" in register
    assert later.lot_number in register
    assert "003 " in register


def ask(client, order, product, reason="out_of_stock", note=""):
    told = {"document": str(uuid4()), "line": "1", "product": str(product), "reason": reason, "note": note}
    return post(client, f"/clinic/substitutions/sheets/{order}", told)


def waiting():
    return run("select id from substitution s where not exists (select from substitution_answer a where a.substitution_id = s.id)").scalar_one()  # fmt: skip


def test_another_makers_pack_is_proposed_agreed_to_and_printed(facility_app, clinic, pharmacist):
    drug, other = make_twins(clinic)
    dearer = make_goods(clinic, 2, generic_name=drug.name, maker="贵药厂", pack_price="20.00")
    made = sheet("WESTERN", (drug.product_id, 48))
    charged_visit(clinic, made)
    order, to = made.id, f"/clinic/dispensing/sheets/{made.id}"
    doctor = browser(facility_app, clinic, clinic.doctor)
    assert text(doctor, "/clinic/substitutions/notice").strip() == ""
    assert "没有等您答复的换药" in text(doctor, "/clinic/substitutions")

    form = text(pharmacist, f"/clinic/substitutions/sheets/{order}")
    for word in ("另一药厂", "可以", "贵药厂", "价格不同"):
        assert word in form
    assert ask(pharmacist, order, dearer.product_id).status_code == 409
    assert "要写明" in ask(pharmacist, order, other.product_id, "other").get_data(as_text=True)
    for nonsense in ("", "x", "9" * 30):
        assert ask(pharmacist, order, nonsense).status_code == 422
    assert ask(pharmacist, order, other.product_id, note="货在路上").status_code == 303
    page = text(pharmacist, to)
    assert "医师同意换成 另一药厂" in page
    assert "等医师同意换药" in page
    assert "撤回" in page
    assert "已经提出" in text(pharmacist, f"/clinic/substitutions/sheets/{order}")
    polled = re.sub(r"\s", "", scan(pharmacist, order, "").get_data(as_text=True))
    assert "等江海明医师同意" in polled
    assert "等江海明医师答复" in polled.partition('id="steps"')[2]

    swap = waiting()
    assert "1 个换药等您答复" in text(doctor, "/clinic/substitutions/notice")
    listed = text(doctor, "/clinic/substitutions")
    assert "货在路上" in listed
    answer = f"/clinic/substitutions/{swap}/answer"
    assert post(doctor, answer, {"answer": "declined", "note": ""}).status_code == 422
    assert post(doctor, answer, {"answer": "withdrawn"}).status_code == 422
    assert post(doctor, answer, {"answer": "consented"}).status_code == 303
    assert post(doctor, answer, {"answer": "declined", "note": "晚了"}).status_code == 409
    polled = scan(pharmacist, order, "").get_data(as_text=True)
    assert "同意" in polled.partition('id="steps"')[2]
    page = text(pharmacist, to)
    assert other.lot_number in page
    assert "代替处方开的 试药厂" in page
    assert hand(pharmacist, order, *other.codes[:2]).status_code == 303
    assert "另一药厂" in text(pharmacist, f"{to}/note")
    assert "代替 试药厂" in text(pharmacist, f"{to}/note")
    assert "代替 试药厂" in text(pharmacist, f"{to}/labels")
    register = text(browser(facility_app, clinic, clinic.owner), "/clinic/day/swaps")
    for word in ("另一药厂", "试药厂", "缺货（货在路上）", "004 江*明"):
        assert word in register


def test_a_proposal_is_withdrawn_and_strangers_and_others_are_kept_out(facility_app, clinic, pharmacist, nurse):
    drug, other = make_twins(clinic)
    made = sheet("WESTERN", (drug.product_id, 24))
    charged_visit(clinic, made)
    ask(pharmacist, made.id, other.product_id)
    swap, stranger = waiting(), make_clinic(facility_app)
    addresses = {
        "owner": f"/clinic/substitutions/sheets/{made.id}",
        "doctor": "/clinic/substitutions",
        "pharmacist": f"/clinic/substitutions/sheets/{made.id}",
    }
    assert browser(facility_app, stranger, stranger.pharmacist).get(addresses["pharmacist"]).status_code == 404
    assert (
        post(
            browser(facility_app, stranger, stranger.pharmacist), f"/clinic/substitutions/{swap}/withdrawal", {}
        ).status_code
        == 404
    )
    assert (
        post(
            browser(facility_app, stranger, stranger.doctor),
            f"/clinic/substitutions/{swap}/answer",
            {"answer": "consented"},
        ).status_code
        == 404
    )
    assert pharmacist.get(addresses["doctor"]).status_code == 403
    assert browser(facility_app, clinic, clinic.clerk).get(addresses["owner"]).status_code == 403
    other_doctor = browser(facility_app, clinic, clinic.second_doctor)
    assert "没有等您答复的换药" in text(other_doctor, "/clinic/substitutions")
    assert post(other_doctor, f"/clinic/substitutions/{swap}/answer", {"answer": "consented"}).status_code == 409

    assert post(nurse, f"/clinic/substitutions/{swap}/withdrawal", {}).status_code == 303
    assert post(nurse, f"/clinic/substitutions/{swap}/withdrawal", {}).status_code == 303
    page = text(pharmacist, f"/clinic/dispensing/sheets/{made.id}")
    assert "撤回" in page
    assert "data-swap" in page


def test_the_doctors_list_asks_the_same_however_much_waits(facility_app, clinic, pharmacist):
    doctor = browser(facility_app, clinic, clinic.doctor)

    def asked(address):
        with statements() as counted:
            text(doctor, address)
        return len(counted)

    asked("/clinic/substitutions")
    few = asked("/clinic/substitutions")
    for _turn in range(3):
        drug, other = make_twins(clinic)
        made = sheet("WESTERN", (drug.product_id, 24))
        charged_visit(clinic, made)
        assert ask(pharmacist, made.id, other.product_id).status_code == 303
    assert asked("/clinic/substitutions") <= few + 1
    assert asked("/clinic/substitutions/notice") <= few + 1


def test_a_pack_is_opened_by_its_scan_for_single_units(clinic, pharmacist, goods):
    made = sheet("WESTERN", Line(goods.product_id, 6, split=True))
    charged_visit(clinic, made)
    assert "拆一盒" in text(pharmacist, f"/clinic/dispensing/sheets/{made.id}")
    opened = scan(pharmacist, made.id, goods.codes[0])
    assert opened.status_code == 200
    assert "拆一盒" not in opened.get_data(as_text=True)
    assert hand(pharmacist, made.id, quantity="6").status_code == 303


def test_a_pause_and_a_skin_test_are_kept(clinic, pharmacist):
    drug = make_goods(clinic, 4, generic_name="注射用青霉素钠", pack_size=1, pack_unit="支", base_unit="支", split_allowed=False)  # fmt: skip
    made = sheet("WESTERN", Line(drug.product_id, 2, dose=None, skin_test=True))
    charged_visit(clinic, made)
    to = f"/clinic/dispensing/sheets/{made.id}"
    assert post(pharmacist, f"{to}/pauses", {"document": str(uuid4()), "reason": ""}).status_code == 422
    assert post(pharmacist, f"{to}/pauses", {"document": str(uuid4()), "reason": "等皮试"}).status_code == 303
    assert "已暂停发药：等皮试" in text(pharmacist, to)
    assert post(pharmacist, f"{to}/pauses", {"document": str(uuid4()), "act": "resume"}).status_code == 303
    told = {
        "document": str(uuid4()),
        "order_line": "1",
        "result": "negative",
        "checker": "005",
        "checker_password": PASSWORD,
    }
    refused = post(pharmacist, f"{to}/tests", told | {"checker": "003", "note": "皮丘 12 mm"})
    assert refused.status_code == 422
    dialog = refused.get_data(as_text=True).partition("data-again")[2]
    assert ("皮丘 12 mm" in dialog, 'role="alert"' in dialog) == (True, True)
    assert "要皮试" in text(pharmacist, to)
    assert post(pharmacist, f"{to}/tests", told).status_code == 303
    assert "皮试阴性" in text(pharmacist, to)
    positive = told | {"document": str(uuid4()), "result": "positive", "note": "皮丘 15 mm"}
    assert post(pharmacist, f"{to}/tests", positive).status_code == 303
    assert "皮丘 15 mm · 不清楚 · 皮试阳性" in text(pharmacist, to)
    pharmacist.set_cookie("lang", "en")
    assert "皮丘 15 mm · severity unknown · skin test positive" in text(pharmacist, to)


def test_what_comes_back_is_asked_for_with_its_reason(pharmacist, goods, order):
    hand(pharmacist, order, *goods.codes[:2])
    to = f"/clinic/dispensing/sheets/{order}/returns"
    assert "发出时没有扫码" not in text(pharmacist, to)
    told = {"document": str(uuid4()), "quantity": "1", "codes": goods.codes[0], "reason": "quality", "note": "受潮", "checker": "005", "checker_password": PASSWORD}  # fmt: skip
    refused = post(pharmacist, to, told | {"codes": goods.codes[5]})
    assert refused.status_code == 422
    assert 'value="受潮"' in refused.get_data(as_text=True)
    assert "只剩 2 盒 可退" in post(pharmacist, to, told | {"quantity": "9"}).get_data(as_text=True)
    assert post(pharmacist, to, told).status_code == 303
    assert run("select came_back from bill_line where order_id = :o", o=order).scalar_one() == 24
    assert "药品质量问题" in text(pharmacist, f"/clinic/dispensing/sheets/{order}")


def test_labels_and_notes_carry_the_whole_name_and_how_to_take_it(clinic, pharmacist, goods):
    patient = make_patient(clinic, name="欧阳静宜")
    made = sheet("WESTERN", Line(goods.product_id, 24, dose=None, frequency="tid", route="po", days=4))
    charged_visit(clinic, made, visit=make_visit(clinic, patient))
    to = f"/clinic/dispensing/sheets/{made.id}"
    assert "欧阳静宜" not in text(pharmacist, to)
    for print_ in ("labels", "note"):
        assert "欧阳静宜" in text(pharmacist, f"{to}/{print_}")
    assert "口服，每天三次，4 天" in text(pharmacist, f"{to}/labels")


def test_treatments_are_signed_on_their_page(clinic, nurse):
    made = sheet("TREATMENT", (make_service(clinic, generic_name="推拿"), 3))
    charged_visit(clinic, made)
    assert "推拿" in text(nurse, "/clinic/treatments")
    to = f"/clinic/treatments/sheets/{made.id}"
    told = {"document": str(uuid4()), "order_line": "1", "times": "2", "note": "腰"}
    assert post(nurse, f"{to}/executions", told | {"times": "9", "document": str(uuid4())}).status_code == 422
    assert post(nurse, f"{to}/executions", told | {"times": "x"}).status_code == 422
    assert post(nurse, f"{to}/executions", told).status_code == 303
    page = text(nurse, to)
    assert "<b>2</b> / 3" in page
    assert "2 次" in page
    vial = make_goods(clinic, 2, pack_size=1, pack_unit="支", base_unit="支", split_allowed=False)
    dripped = sheet("INFUSION", Line(vial.product_id, 2, frequency="bid", route="ivgtt", days=1))
    charged_visit(clinic, dripped)
    page = text(nurse, f"/clinic/treatments/sheets/{dripped.id}")
    assert ("发了才能执行" in page, "签名执行 " in page) == (True, False)


def test_a_stranger_finds_nothing_and_a_clerk_only_looks(facility_app, clinic, goods, order):
    other = make_clinic(facility_app)
    stranger = browser(facility_app, other, other.pharmacist)
    for page in ("", "/labels", "/note", "/returns"):
        assert stranger.get(f"/clinic/dispensing/sheets/{order}{page}").status_code == 404
    assert hand(stranger, order, goods.codes[0]).status_code == 404
    clerk = browser(facility_app, clinic, clinic.clerk)
    assert "等药师发药" in text(clerk, f"/clinic/dispensing/sheets/{order}")
    assert clerk.get(f"/clinic/dispensing/sheets/{order}/labels").status_code == 403


def test_the_page_asks_the_same_however_much_waits(clinic, pharmacist, order):
    def asked():
        with statements() as counted:
            text(pharmacist, f"/clinic/dispensing/sheets/{order}")
        return len(counted)

    asked()
    few = asked()
    for _turn in range(3):
        charged_visit(clinic, sheet("WESTERN", *((make_goods(clinic, 1).product_id, 24) for _line in range(3))))
    assert asked() <= few + 1
    assert few <= 26


@pytest.mark.parametrize("address", ["/clinic/dispensing", "/clinic/treatments", "/clinic/review?list=waiting"])
def test_long_queues_go_on_page_by_page(clinic, pharmacist, nurse, monkeypatch, address):
    for module in (queries, review_queries):
        monkeypatch.setattr(module, "PAGE", 1)
    make = (lambda *sheets: sign(clinic, make_visit(clinic), *sheets)) if "review" in address else (lambda *sheets: charged_visit(clinic, *sheets))  # fmt: skip
    for _turn in range(3):
        make(sheet("WESTERN", (make_goods(clinic, 1).product_id, 24)), sheet("TREATMENT", (make_service(clinic), 1)))
    client, at, seen = nurse if "treatments" in address else pharmacist, address, []
    while at:
        page = text(client, at)
        seen += re.findall(r'<li><a href="[^"]*/sheets/([^"?]+)', page)
        following = re.search(r'<a class="btn btn-sm end" href="([^"]+)">', page)
        at = html.unescape(following[1]) if following else ""
    assert (len(seen), len(set(seen))) == (3, 3)
    mark = "&" if "?" in address else "?"
    for typed in ("x", "0_x_y", f"7_2026-11-22T00:00:00+08:00_{uuid4()}"):
        assert client.get(f"{address}{mark}after={typed}").status_code == 200


def test_the_stock_room_calls_it_dispensing_and_opens_the_sheet(facility_app, clinic, pharmacist, goods, order):
    assert hand(pharmacist, order, *goods.codes[:2]).status_code == 303
    handing, number = run("select id, number from dispensing where order_id = :o", o=order).one()
    wanted = [returning.Back(handing, 1, 24, goods.codes[:1])]
    back = returning.take_back(
        desk_of(clinic, clinic.pharmacist), uuid4(), order, wanted, "quality", "破损", (clinic.nurse, "005")
    )
    sheet_page = f"/clinic/dispensing/sheets/{order}"

    for page in (f"/stock/products/{goods.product_id}/movements", f"/stock/codes/{goods.codes[0]}"):
        said = re.sub(r"\s+", " ", text(pharmacist, page))
        for word, paper in (("发药", number), ("退药", back)):
            assert f'<a href="{sheet_page}">{paper}</a>' in said, page
            assert re.search(rf"{word}</(b|span)>", said), page
    for paper in (number, back):
        assert pharmacist.get(f"/search?q={paper}").location.endswith(sheet_page)
    other = make_clinic(facility_app)
    assert browser(facility_app, other, other.pharmacist).get(f"/search?q={number}").status_code == 200
