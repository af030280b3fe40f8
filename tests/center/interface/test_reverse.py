"""2103, 2601, 5203 and the second leg of a partial refund."""

import psycopg
import pytest

from tests.center import world
from tests.center.interface.test_settle import state
from tests.center.world import fresh_code, line, purchase, shares


def settle(shop, person, lines, **extra):
    answer = shop.ask("2102", purchase(person, lines, **extra))
    assert answer.accepted, answer.message
    return answer.output["setlinfo"]


def cancel(shop, person, info, **changes):
    data = {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": person.psn_no, **changes}
    return shop.ask("2103", {"data": data})


def take_back(shop, person, msgid, infno="2102", own=None):
    return shop.ask("2601", {"data": {"psn_no": person.psn_no, "omsgid": msgid, "oinfno": infno}}, own)


def test_a_reversal_puts_everything_back(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=30000, prior_fen=100, mutual_fen=500, deductible_fen=40000)
    before, code = state(owner_sql, person), fresh_code()
    info = settle(shop, person, [line(drug, "500.00", codes=[code])])

    answer = cancel(shop, person, info)

    reversed_ = answer.output["setlinfo"]
    assert reversed_["medfee_sumamt"] == "-500.00"
    assert reversed_["hifp_pay"] == "-240.00"
    assert reversed_["acct_pay"] == "-260.00"
    assert reversed_["balc"] == "301.00"
    assert state(owner_sql, person) == before
    assert owner_sql(
        "select sum(amount_fen) from account_entry where psn_no = %s and reason <> 'credited'", person.psn_no
    ) == [(0,)]
    assert owner_sql("select sum(total_fen), sum(fund_fen) from settlement where psn_no = %s", person.psn_no) == [
        (0, 0)
    ]
    assert owner_sql("select count(*) from code_claim where code = %s and released_at is null", code) == [(0,)]
    assert cancel(shop, person, info).code == "ALREADY_REVERSED"


def test_only_ones_own_whole_settlement_can_be_reversed(center_app, shop, drug, policies):
    person, other, elsewhere = world.make_person(center_app), world.make_person(center_app), world.make_shop(center_app)
    info = settle(shop, person, [line(drug)])

    assert cancel(elsewhere, person, info).code == "UNKNOWN_SETTLEMENT"
    assert cancel(shop, other, info).code == "UNKNOWN_SETTLEMENT"
    assert cancel(shop, person, info, mdtrt_id="1").code == "UNKNOWN_SETTLEMENT"
    assert cancel(shop, person, info, setl_id="1").code == "UNKNOWN_SETTLEMENT"
    reversal = cancel(shop, person, info).output["setlinfo"]
    assert cancel(shop, person, info, setl_id=reversal["setl_id"]).code == "UNKNOWN_SETTLEMENT"


def test_later_documents_are_not_touched_and_the_next_sees_the_counters(center_app, shop, drug):
    """DOMAIN 1.7: 200 of the deductible go back; the next document takes them again."""
    person = world.make_person(center_app, deductible_fen=40000)
    first = settle(shop, person, [line(drug, "200.00")])
    second = settle(shop, person, [line(drug, "100.00")])

    cancel(shop, person, first)
    third = settle(shop, person, [line(drug, "150.00")])

    assert (first["act_pay_dedc"], second["hifp_pay"]) == ("200.00", "80.00")
    assert (third["act_pay_dedc"], third["hifp_pay"]) == ("150.00", "0.00")


def test_a_partial_refund_is_a_reversal_and_a_document_that_names_it(center_app, shop, drug, owner_sql):
    """The worked case E10: net 40.00 to the patient, 160.00 back to the fund, deductible stays 600."""
    person = world.make_person(center_app, current_fen=10000, deductible_fen=40000)
    basket = [line(drug, "300.00"), line(drug, "200.00", number="2")]
    original = settle(shop, person, basket)
    again = purchase(person, basket[:1], replaces_setl_id=original["setl_id"])

    assert shop.ask("2102", again).code == "NOT_REPLACEABLE"
    cancel(shop, person, original)
    second = shop.ask("2102", again)

    assert shares(second) == (8000, 10000, 0, 12000)
    assert state(owner_sql, person)[3:] == (60000, 8000)
    assert shop.ask("2102", again).code == "NOT_REPLACEABLE"
    assert shop.ask("2102", purchase(person, basket, replaces_setl_id="1")).code == "NOT_REPLACEABLE"


def test_the_net_of_a_partial_refund_is_shown_before_anything_is_sent(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=10000, prior_fen=300, deductible_fen=40000)
    basket = [line(drug, "300.00"), line(drug, "200.00", number="2")]
    original = settle(shop, person, basket)
    again = purchase(person, basket[:1], replaces_setl_id=original["setl_id"])
    before = state(owner_sql, person)

    shown = shop.ask("2101", again)

    assert state(owner_sql, person) == before
    cancel(shop, person, original)
    assert (
        shares(shown) == shares(shop.ask("2101", again)) == shares(shop.ask("2102", again)) == (8000, 10300, 0, 11700)
    )
    assert shop.ask("2101", again).code == "NOT_REPLACEABLE"


def test_the_second_leg_keeps_date_policy_and_status_but_present_counters(
    center_app, shop, drug, owner_sql, database_urls
):
    person = world.make_person(center_app, deductible_fen=60000)
    original = settle(shop, person, [line(drug, "300.00"), line(drug, "200.00", number="2")])
    cancel(shop, person, original)
    with psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection:
        connection.execute("update person set status = 'lost' where psn_no = %s", (person.psn_no,))
        connection.execute("update coverage set person_class = 'retiree' where psn_no = %s", (person.psn_no,))
        connection.execute("update person_year set hifp_fen = 1490000 where psn_no = %s", (person.psn_no,))

    second = shop.ask("2102", purchase(person, [line(drug, "300.00")], replaces_setl_id=original["setl_id"]))

    # In service as then (80 %, cap 15,000), of which 100.00 is left now; above it half: (300 - 125) / 2.
    assert second.accepted, second.message
    assert (second.output["setlinfo"]["hifp_pay"], second.output["setlinfo"]["hifob_pay"]) == ("100.00", "87.50")
    assert shop.ask("2102", purchase(person, [line(drug)])).code == "CARD_LOST"


def test_the_codes_of_the_reversed_document_are_claimed_again_by_the_second_leg(center_app, shop, drug, owner_sql):
    person, code = world.make_person(center_app), fresh_code()
    original = settle(shop, person, [line(drug, codes=[code]), line(drug, number="2")])
    cancel(shop, person, original)

    second = settle(shop, person, [line(drug, codes=[code])], replaces_setl_id=original["setl_id"])

    holders = owner_sql("select document from code_claim where code = %s and holds and released_at is null", code)
    assert holders == [(second["setl_id"],)]


def test_another_year_is_not_taken_back_online(center_app, shop, drug, database_urls):
    person = world.make_person(center_app)
    info = settle(shop, person, [line(drug)])
    with psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection:
        connection.execute("update settlement set year = year - 1 where setl_id = %s", (info["setl_id"],))

    refused = cancel(shop, person, info)

    assert refused.code == "YEAR_CLOSED"


def test_2601_reverses_what_was_settled_and_twice_does_it_once(center_app, shop, drug, owner_sql):
    person, msgid = world.make_person(center_app, current_fen=5000), shop.msgid()
    body = shop.compose("2102", purchase(person, [line(drug, "30.00")]), msgid)
    before = state(owner_sql, person)
    shop.send("2102", body)

    first, second = take_back(shop, person, msgid), take_back(shop, person, msgid)

    assert first.accepted
    assert second.accepted
    assert state(owner_sql, person) == before
    assert owner_sql("select count(*) from settlement where psn_no = %s", person.psn_no) == [(2,)]
    assert world.envelope.parse_answer(shop.send("2102", body).data).code == "MESSAGE_REVERSED"


def test_2601_that_overtakes_its_2102_leaves_a_tombstone(center_app, shop, drug, owner_sql):
    person, msgid = world.make_person(center_app, current_fen=5000), shop.msgid()

    assert take_back(shop, person, msgid).accepted
    late = shop.ask("2102", purchase(person, [line(drug)]), msgid)

    assert late.code == "REVERSED_BEFORE_ARRIVAL"
    assert take_back(shop, person, msgid).accepted
    assert state(owner_sql, person)[0] == 5000
    assert shop.ask("2102", purchase(person, [line(drug)])).accepted


def test_2601_of_a_refused_message_is_done_and_of_a_cancelled_settlement_too(center_app, shop, drug):
    lost, person = world.make_person(center_app, status="lost"), world.make_person(center_app)
    refused, settled = shop.msgid(), shop.msgid()
    shop.ask("2102", purchase(lost, [line(drug)]), refused)
    info = shop.ask("2102", purchase(person, [line(drug)]), settled).output["setlinfo"]
    cancel(shop, person, info)

    assert take_back(shop, lost, refused).accepted
    assert take_back(shop, person, settled).accepted


def test_2601_is_for_a_few_transactions_and_ones_own_messages(center_app, shop, drug, policies):
    person, other, elsewhere = world.make_person(center_app), world.make_person(center_app), world.make_shop(center_app)
    msgid, own = shop.msgid(), shop.msgid()
    shop.ask("2102", purchase(person, [line(drug)]), msgid)

    assert take_back(shop, person, msgid, "2103").code == "NOT_REVERSIBLE"
    assert take_back(shop, person, msgid, "2207").code == "NOT_REVERSIBLE"
    assert take_back(shop, other, msgid).code == "NOT_REVERSIBLE"
    assert take_back(shop, person, own, own=own).code == "wrong_input"
    assert take_back(elsewhere, person, msgid).accepted  # A tombstone of its own; ours stands.
    assert take_back(shop, person, msgid).accepted


def test_a_2103_asked_again_gives_the_same_bytes(center_app, shop, drug):
    person = world.make_person(center_app)
    info = settle(shop, person, [line(drug)])
    body = shop.compose(
        "2103", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": person.psn_no}}
    )

    assert shop.send("2103", body).data == shop.send("2103", body).data


@pytest.mark.parametrize("reverse", [False, True])
def test_5203_reads_it_back(center_app, shop, drug, reverse):
    person = world.make_person(center_app, current_fen=1000, mutual_fen=100)
    info = settle(shop, person, [line(drug, "700.00")])
    if reverse:
        cancel(shop, person, info)

    answer = shop.ask(
        "5203", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": person.psn_no}}
    )

    read = answer.output["setlinfo"]
    assert read["refd_setl_flag"] == str(int(reverse))
    assert (read["cash_payamt"], read["psn_pay"], read["acct_pay"]) == (
        info["psn_cash_pay"],
        info["psn_part_amt"],
        info["acct_pay"],
    )
    assert read["certno"] == person.certno
    assert {row["fund_pay_type"]: row["fund_payamt"] for row in answer.output["setldetail"]} == {
        "310100": "80.00",
        "310200": "11.00",
    }


def test_5203_of_a_stranger(center_app, shop, drug, policies):
    person, elsewhere = world.make_person(center_app), world.make_shop(center_app)
    info = settle(shop, person, [line(drug)])
    ask = {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": person.psn_no}}

    assert elsewhere.ask("5203", ask).code == "UNKNOWN_SETTLEMENT"
