"""The field rules: the whole table loads, and an input's faults are named."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.national import codes, fields

GOOD = {
    "data": {"psn_no": "33020000000000000001", "omsgid": "P33021200001202601010000000001", "oinfno": "2102"},
}


def settlement(**changes):
    head = {
        "psn_no": "33020000000000000001",
        "mdtrt_cert_type": "02",
        "mdtrt_cert_no": "330200199001010015",
        "psn_cert_type": "01",
        "certno": "330200199001010015",
        "psn_type": "11",
        "psn_name": "王小明",
        "begntime": "2026-01-05 10:00:00",
        "medfee_sumamt": "31.60",
        "insutype": "310",
        "acct_used_flag": "1",
        "med_type": "41",
    }
    line = {
        "feedetl_sn": "1",
        "rx_circ_flag": "0",
        "fee_ocur_time": "2026-01-05 10:00:00",
        "med_list_codg": "XA01",
        "medins_list_codg": "P1",
        "det_item_fee_sumamt": Decimal("31.6"),
        "cnt": 2,
        "pric": "15.800000",
    }
    head.update(changes)
    return {"druginfo": head, "drugdetail": [line]}


def test_all_212_transactions_are_in_the_table_with_two_second_numbers_and_twelve_of_our_own():
    assert len(fields.transactions()) == 226
    assert all(fields.transaction(infno) for infno in fields.transactions())


def test_all_303_code_tables_say_codes_in_words():
    assert codes.name("med_type", "41") == "定点药店购药"
    assert codes.name("gend", "2") == "女"
    assert codes.name("gend", "7") == "7"
    assert codes.values("no_such_table") is None


def test_a_well_formed_settlement_has_no_problem():
    assert fields.check("2102", settlement()) == []


def test_trace_codes_travel_inside_a_line_under_both_spellings():
    for spelling in ("durg_trac_info", "drug_trac_info"):
        message = settlement()
        message["drugdetail"][0][spelling] = [{"feedetl_sn": "1", "drug_trac_codg": "8" * 20, "trdn_flag": "7"}]

        [problem] = fields.check("2102", message)

        assert problem.field == "trdn_flag"


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"psn_no": ""}, "psn_no", "不能为空"),
        ({"psn_no": None}, "psn_no", "不能为空"),
        ({"psn_no": "1" * 31}, "psn_no", "最多 30"),
        ({"psn_no": ["1"]}, "psn_no", "文字或数字"),
        ({"psn_no": True}, "psn_no", "文字或数字"),
        ({"psn_no": "a\x00"}, "psn_no", "控制字符"),
        ({"medfee_sumamt": "abc"}, "medfee_sumamt", "应为数字"),
        ({"medfee_sumamt": "1.234"}, "medfee_sumamt", "2 位小数"),
        ({"medfee_sumamt": "9" * 15}, "medfee_sumamt", "整数部分"),
        ({"medfee_sumamt": 10**5000}, "medfee_sumamt", "过大"),
        ({"medfee_sumamt": "NaN"}, "medfee_sumamt", "应为数字"),
        ({"begntime": "2026-02-30 10:00:00"}, "begntime", "不是一个存在"),
        ({"begntime": "20260105"}, "begntime", "yyyy-MM-dd"),
        ({"mdtrt_cert_type": "09"}, "mdtrt_cert_type", "代码表"),
    ],
)
def test_what_is_wrong_is_named(change, field, word):
    [problem] = fields.check("2102", settlement(**change))

    assert problem.field == field
    assert word in problem.sentence


def test_numbers_may_come_as_numbers_or_texts_with_more_zeros():
    assert fields.check("2102", settlement(medfee_sumamt="31.6000")) == []
    assert fields.check("2102", settlement(medfee_sumamt=31)) == []


def test_a_settlement_without_lines_is_named():
    message = settlement()
    del message["drugdetail"]

    assert [problem.field for problem in fields.check("2102", message)] == ["drugdetail"]
    assert fields.check("2102", settlement() | {"drugdetail": []})
    assert fields.check("2102", settlement() | {"drugdetail": [7]})
    assert fields.check("2102", settlement() | {"drugdetail": "x"})


def test_unknown_members_pass_and_an_unknown_transaction_does_not():
    assert fields.check("2601", GOOD | {"more": 1}) == []
    assert fields.check("9999", GOOD)
    assert fields.check("2601", [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(fields.transactions()), JSON)
def test_no_input_ever_breaks_the_check(infno, garbage):
    problems = fields.check(infno, garbage)

    assert len(problems) <= fields.MOST_PROBLEMS
    assert all(problem.sentence for problem in problems)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(fields.transactions()))
def test_garbage_in_every_known_field_is_survived(data, infno):
    known = fields.transaction(infno)
    message = {
        name: data.draw(st.dictionaries(st.sampled_from([field.code for field in node.fields]), JSON, max_size=6))
        for name, node in known.inputs.items()
        if name
    }

    assert isinstance(fields.check(infno, message), list)


def test_garbage_under_the_second_spelling_does_not_hide_behind_an_empty_first():
    message = settlement()
    message["drugdetail"][0] |= {"durg_trac_info": "", "drug_trac_info": True}

    assert [problem.field for problem in fields.check("2102", message)] == ["durg_trac_info"]
