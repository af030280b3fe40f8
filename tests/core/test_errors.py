"""What a refusal says of its facts is in the reader's language too; everywhere else it stays Chinese."""

import pytest

from app.core.errors import Refusal, Several, WrongInput, words
from app.core.money import yuan_to_fen
from app.facility.catalog import rules as catalog_rules
from app.facility.counter.baskets import CODE_STATES
from app.facility.counter.errors import CodeNotOnShelf, NotSellable
from app.facility.insurance.identify import SENTENCES
from app.facility.till.errors import PrescriptionIncomplete
from app.national import certno
from launcher.translations import HAN

ENGLISH = {"headers": {"Cookie": "lang=en"}}
INNER = words("开具日期 {day} 已过期或在今天之后（处方当日有效，最长 {days} 天）", day="2026-11-01", days=3)


def said():
    """Refusals as the rooms make them."""
    yield WrongInput(what="机构代码", why="应为 4 至 20 位大写字母或数字")
    yield PrescriptionIncomplete(
        why=words("没有填{fields}", fields=Several(["处方号", "患者姓名", "开方医师", "开方机构"]))
    )
    yield PrescriptionIncomplete(why=INNER)
    yield from (CodeNotOnShelf(tail="123456", why=why) for why in CODE_STATES.values())
    yield from (WrongInput(what=label, why="应在 0 到 9999999 之间") for label in catalog_rules.LABELS.values())
    yield from (WrongInput(what="身份证号", why=why) for why in SENTENCES.values())
    wrong = ("110101200001010", "x", "110101209913010000", "110101200001010001")
    yield from (WrongInput(what="身份证号", why=why) for number in wrong if (why := certno.why_wrong(number)))


def test_no_chinese_in_what_an_english_page_shows(facility_app):
    with facility_app.test_request_context(**ENGLISH):
        shown = [refusal.message for refusal in said()]

    assert len(shown) > 30
    assert [text for text in shown if HAN.search(text)] == []


def test_data_stays_as_it_is(facility_app):
    with facility_app.test_request_context(**ENGLISH):
        shown = NotSellable(name="阿莫西林胶囊", why="按处方整盒发药，不能拆零").message

    assert shown.startswith("阿莫西林胶囊 is dispensed")


def test_chinese_for_chinese_readers_logs_and_the_center(facility_app):
    refusal = PrescriptionIncomplete(why=INNER)
    chinese = "开具日期 2026-11-01 已过期或在今天之后（处方当日有效，最长 3 天）"

    with facility_app.test_request_context():
        assert chinese in refusal.message
    assert chinese in refusal.message  # Outside a request.
    with facility_app.test_request_context(**ENGLISH):
        assert chinese in str(refusal)
        assert str(INNER) == chinese
        assert "2026-11-01" in refusal.message
        assert f"{Several(['规格', '剂型'])}" == "规格、剂型"


def test_a_brace_in_the_center_s_sentence_is_no_place_to_fill(facility_app):
    class Said(Refusal):
        sentence = "{why}"

    with facility_app.test_request_context(**ENGLISH):
        assert Said(why="{0} 没有受理").message == "{0} 没有受理"


def test_an_amount_refused_by_a_helper_of_all_rooms_speaks_english(facility_app):
    with facility_app.test_request_context(**ENGLISH), pytest.raises(WrongInput) as refused:
        yuan_to_fen("12.345")
    with facility_app.test_request_context(**ENGLISH):
        assert not HAN.search(refused.value.message)
