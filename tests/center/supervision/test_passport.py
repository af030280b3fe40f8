"""The passport of a box: its whole life drawn, what contradicts itself, and the evidence that proves itself."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from hashlib import sha256

from central_sync import chain
from tests.center.supervision.world import (
    ELSEWHERE,
    HERE,
    MORNING,
    dispensed,
    moved,
    new_code,
    received,
    refunded,
    sold,
    words_of,
)


def test_passport_tells_a_whole_life(sign_in, new_institution):
    shop, code = new_institution(HERE, "一号药店"), new_code()
    sale = sold(shop.moment(), code)
    shop.tell(received(MORNING, code), sale, refunded(shop.moment(), sale, code))

    page = sign_in().get(f"/passport/{code}")

    said = words_of(page)
    assert page.status_code == 200
    assert "这一盒的来龙去脉没有矛盾。" in said
    assert said.index("采购验收") < said.index("销售 自费") < said.index("退货")
    assert "退回待检" in said
    assert "扫码到结算 41 秒" in said
    assert "1 条流都连续" in said
    assert "链断" not in said


def test_passport_draws_the_break_and_compares_the_sales(sign_in, twice_sold):
    _first, _second, code, _lot = twice_sold

    page = sign_in().get(f"/passport/{code}")

    said = words_of(page)
    assert "同一盒卖了两次。" in said
    assert "二号药店" in said
    assert "九号药店" in said
    assert "链断 70 天 无退货 无采购" in said
    assert "再次销售 自费" in said
    assert "两次销售对照" in said
    assert "本流中未见采购" in said
    assert "统筹 30.82" in said
    assert page.get_data(as_text=True).count('class="bad"') == 1
    assert "2 条流都连续" in said
    assert "≠ 九号药店" in said


def test_a_pack_handed_to_a_patient_and_sold_is_drawn_and_compared(sign_in, new_institution):
    clinic, shop, code = new_institution(HERE, "二号诊所"), new_institution(HERE, "九号药店"), new_code()
    clinic.tell(received(MORNING, code), dispensed(clinic.moment(), code, reason="发药"))
    shop.tell(sold(shop.moment(90), code))

    client = sign_in()
    said = words_of(client.get(f"/passport/{code}"))

    assert "同一盒发药和销售超过了一次。" in said
    assert re.search("采购验收.+发药 .+再次销售 自费", said)
    assert "门诊患者，不报姓名" in said
    assert "见门诊收费" in said
    clinic.tell(dispensed(clinic.moment(200), code))
    assert "再次发药" in words_of(client.get(f"/passport/{code}"))


def test_two_insured_sales_are_both_settled_stops(sign_in, new_institution):
    shop, code = new_institution(), new_code()
    shop.tell(sold(shop.moment(), code, insured=True), sold(shop.moment(), code, insured=True))

    said = words_of(sign_in().get(f"/passport/{code}"))

    assert "同一盒卖了两次，两次都走医保。" in said
    assert said.count("医保结算") == 2
    assert "中心无此结算" in said  # The fact names a settlement that the center's fund never made.


def test_the_other_half_in_another_district_is_told_without_its_records(sign_in, new_institution):
    here, there, code = new_institution(HERE, "一号药店"), new_institution(ELSEWHERE, "外区药店"), new_code()
    here.tell(sold(here.moment(), code, receipt="S-HERE"))
    sale = sold(there.moment(60), code, receipt="S-THERE")
    there.tell(sale)

    client = sign_in(HERE)
    said = words_of(client.get(f"/passport/{code}"))

    assert "另一次在您的辖区之外" in said
    assert "外区药店（海曙区）单 S-THERE" in said
    assert client.get(f"/sales/{sale[1]['document']}").status_code == 404
    assert client.get(f"/streams/{there.stream}").status_code == 404


def test_an_officer_of_the_city_sees_both_districts(sign_in, new_institution):
    here, there, code = new_institution(HERE, "一号药店"), new_institution(ELSEWHERE, "外区药店"), new_code()
    here.tell(sold(here.moment(), code))
    there.tell(sold(there.moment(60), code))

    said = words_of(sign_in("3302").get(f"/passport/{code}"))

    assert "再次销售" in said
    assert "外区药店" in said


def test_evidence_proves_itself(sign_in, twice_sold):
    _first, _second, code, _lot = twice_sold

    answer = sign_in().get(f"/passport/{code}/evidence")

    content = json.loads(answer.get_data())
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evidence-{code}.json"'
    assert [fact["kind"] for fact in content["facts"]] == ["stock.received", "sale.sold", "sale.sold"]
    for fact in content["facts"]:
        previous = (
            bytes.fromhex(fact["previous"])
            if fact["previous"]
            else sha256(b"sunmed:stream:" + fact["stream"].encode()).digest()
        )
        made = chain.link(
            previous,
            fact["stream"],
            fact["epoch"],
            fact["number"],
            fact["kind"],
            fact["version"],
            b64decode(fact["body"]),
        )
        assert made.hex() == fact["hash"]


def test_a_pack_s_journey_between_two_shops_is_drawn_and_its_sale_is_no_duplicate(sign_in, new_institution):
    one, two, code = new_institution(HERE, "一号药店"), new_institution(HERE, "二号药店"), new_code()
    one.tell(
        received(MORNING, code),
        moved(one.moment(), "send", "TO", code, from_zone="SALEABLE", to_zone="TRANSIT", counterpart=two.stream),
    )
    one.tell(moved(one.moment(), "hand_over", "TO", code, from_zone="TRANSIT", counterpart=two.stream))
    two.clock = one.clock
    two.tell(
        moved(two.moment(), "arrive", "TI", code, to_zone="SALEABLE", counterpart=one.stream), sold(two.moment(), code)
    )

    said = words_of(sign_in().get(f"/passport/{code}"))

    places = [said.index(word) for word in ("采购验收", "调拨发出", "调拨交接", "调拨收货", "销售 自费")]
    assert places == sorted(places)
    assert "同一盒卖了两次" not in said


def test_a_life_too_long_to_draw_becomes_a_table(sign_in, new_institution):
    shop, code = new_institution(), new_code()
    shop.tell(*[sold(shop.moment(1), code) for _ in range(12)])

    page = sign_in().get(f"/passport/{code}")

    assert 'class="life' not in page.get_data(as_text=True)
    assert words_of(page).count("再次销售") >= 11
