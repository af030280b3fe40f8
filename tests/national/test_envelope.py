"""The envelope: the same bytes each time, and no bytes that break the reader."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.national import amounts, envelope
from app.national.errors import MalformedMessage

AT = datetime(2026, 1, 5, 2, 3, 4, tzinfo=UTC)
INSTITUTION = envelope.Institution("P33021200001", "阳光药店", "330212")
OPERATOR = envelope.Operator("007", "李敏")


def message(given=None):
    return envelope.compose("2601", "P33021200001202601051003040001", AT, INSTITUTION, OPERATOR, given or {"data": {}})


def test_a_request_is_read_as_it_was_written():
    read = envelope.parse(message({"data": {"psn_no": "1", "amount": 1.5}}))

    assert (read.infno, read.institution, read.operator_name) == ("2601", "P33021200001", "李敏")
    assert read.inf_time == "2026-01-05 10:03:04"
    assert str(read.input["data"]["amount"]) == "1.5"


def test_the_same_request_is_the_same_bytes():
    assert message() == message()
    assert envelope.compose("2601", "x1", AT, INSTITUTION, OPERATOR, b'{"data":{}}') == envelope.compose(
        "2601", "x1", AT, INSTITUTION, OPERATOR, {"data": {}}
    )


def test_a_message_id_holds_institution_time_and_sequence():
    assert envelope.message_id("P33021200001", AT, 20417) == "P33021200001202601051003040417"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b"\xff\xfe",
        b'{"infno":',
        b"[" * 100_000,
        b"1" * 100,
        b'{"infno":{}}',
        b'{"infno":true}',
        message().replace(b"2601", b"26 1"),
        message().replace(b'"input":{"data":{}}', b'"input":[]'),
        message().replace(b'"fixmedins_code":"P33021200001"', b'"fixmedins_code":"P33021200"'),
        message().replace(b"2026-01-05", b"2026-13-05"),
        message().replace(b"007", b"\\u0000"),
        b" " * (envelope.MOST_BYTES + 1),
    ],
)
def test_what_is_no_envelope_is_refused_with_a_sentence(body):
    with pytest.raises(MalformedMessage) as refused:
        envelope.parse(body)

    assert "报文格式有误" in refused.value.message


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body):
    for read in (envelope.parse, envelope.parse_answer):
        with pytest.raises(MalformedMessage):
            read(body)


def test_answers_accepted_and_refused():
    accepted = envelope.parse_answer(envelope.answer("r1", AT, {"setlinfo": {"setl_id": "9"}}))
    refused = envelope.parse_answer(envelope.answer("r2", AT, None, refused="卡已挂失", code="CARD_LOST"))

    assert accepted.accepted
    assert accepted.output["setlinfo"]["setl_id"] == "9"
    assert not refused.accepted
    assert (refused.message, refused.code) == ("卡已挂失", "CARD_LOST")
    assert envelope.parse_answer(b'{"infcode":"0","err_msg":null,"output":null,"more":1}').accepted


def test_an_extension_is_read_from_text_object_or_nothing():
    assert envelope.extension('{"a":1}') == envelope.extension({"a": 1}) == {"a": 1}
    assert envelope.extension("not json") == envelope.extension(None) == envelope.extension("[1]") == {}


def test_on_the_wire_the_two_accounts_are_one():
    shares = amounts.Shares(fund_fen=13760, account_fen=1000, mutual_fen=1500, cash_fen=940)

    wire = amounts.wire_shares(shares)

    assert wire == {
        "fund_pay_sumamt": "137.60",
        "acct_pay": "25.00",
        "acct_mulaid_pay": "15.00",
        "psn_cash_pay": "9.40",
    }
    assert amounts.shares_of(wire) == shares
    assert shares.total_fen == 17200
