"""2206-2208 through the door: a visit's batch is settled to the fen, once, with constant statements, and taken back whole."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from app.center.fund.publishing import publish_policies
from app.core.hot import statements
from app.national import amounts, envelope
from tests.center import world
from tests.center.interface.test_races import at_once, sender
from tests.center.interface.test_settle import state
from tests.center.interface.test_visits import cancel, lines_of, take_back
from tests.center.world import bill, description, open_visit, settle_visit, shares, upload

CASES = json.loads((Path(__file__).parents[1] / "fund" / "vectors.json").read_text("utf-8"))
POOLED = [case for case in CASES if case["options"].get("pool", True)]  # At a clinic every listed line is pooled.


@pytest.fixture
def person(center_app):
    return world.make_person(center_app, current_fen=10000)


def reverse(clinic, person, info, msgid=None, **changes):
    data = {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": person.psn_no, **changes}
    return clinic.ask("2208", {"data": data}, msgid)


def settled(clinic, person, visit, rows, **asked):
    answer = settle_visit(clinic, person, visit, rows, **asked)
    assert answer.accepted, answer.message
    return answer.output["setlinfo"]


def test_a_visit_is_split_shown_and_settled_to_the_fen(center_app, clinic, drug, owner_sql):
    person = world.make_person(center_app, current_fen=10000, prior_fen=500, mutual_fen=700)
    visit, rows = open_visit(clinic, person, [(drug, "400.00", "2"), ("NMLC999", "5.00", "1")])

    trial = clinic.ask("2206", bill(person, visit, rows))
    answer = settle_visit(clinic, person, visit, rows)

    info = answer.output["setlinfo"]
    assert shares(trial) == shares(answer)
    assert sum(shares(answer)) == 80500
    assert "setl_id" not in trial.output["setlinfo"]
    assert (info["mdtrt_id"], info["clr_type"], info["med_type"]) == (visit, "11", "11")
    assert info["fulamt_ownpay_amt"] == "5.00"
    assert Decimal(info["hifp_pay"]) > 0  # Without any prescription number: a clinic's own prescription.
    assert lines_of(owner_sql, visit) == [("1", "B1", "settled"), ("2", "B1", "settled")]
    assert owner_sql(
        "select number, code from settlement_line where setl_id = %s order by position", info["setl_id"]
    ) == [
        ("1", drug),
        ("2", "NMLC999"),
    ]
    assert state(owner_sql, person)[:3] == (0, 0, 0)


@pytest.mark.parametrize("many", [1, 20, 200])
def test_a_settlement_is_three_statements_and_a_trial_two(clinic, person, drug, many):
    visit, rows = open_visit(clinic, person, [(drug, "1.00", "1")] * many)
    parts = clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"]

    with statements() as trial:
        clinic.ask("2206", bill(person, visit, rows))
    with statements() as ran:
        answer = clinic.ask("2207", bill(person, visit, rows, parts=parts))

    assert answer.accepted
    assert (len(trial), len(ran)) == (2, 3)


def test_the_second_numbers_of_zhejiang_do_the_same(clinic, person, drug):
    visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])

    trial = clinic.ask("2206A", bill(person, visit, rows))
    answer = clinic.ask("2207A", bill(person, visit, rows, parts=trial.output["setlinfo"]))

    assert shares(trial) == shares(answer)
    assert reverse(clinic, person, answer.output["setlinfo"]).accepted


def test_the_same_message_again_gives_the_same_bytes_and_a_second_message_is_refused(clinic, person, drug, owner_sql):
    visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])
    parts = clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"]
    body = clinic.compose("2207", bill(person, visit, rows, parts=parts))

    first, second = clinic.send("2207", body), clinic.send("2207", body)

    assert first.data == second.data
    assert envelope.parse_answer(first.data).accepted
    assert state(owner_sql, person)[0] == 7000
    assert clinic.ask("2207", bill(person, visit, rows, parts=parts)).code == "LINES_SETTLED"
    assert clinic.ask("2206", bill(person, visit, rows)).code == "LINES_SETTLED"


def test_twins_and_two_cashiers_settle_one_bill_once(center_app, clinic, person, drug, owner_sql):
    visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])
    asked = bill(person, visit, rows, parts=clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"])
    twin = clinic.compose("2207", asked)
    others = [clinic.compose("2207", asked) for _ in range(3)]

    answers = at_once(center_app, [sender(center_app, clinic, "2207", body) for body in (twin, twin, twin, *others)])

    read = [envelope.parse_answer(response.data) for response in answers]
    assert len({response.data for response in answers[:3]}) == 1
    accepted = {answer.output["setlinfo"]["setl_id"] for answer in read if answer.accepted}
    assert len(accepted) == 1
    assert {answer.code for answer in read if not answer.accepted} == {"LINES_SETTLED"}
    assert owner_sql("select count(*) from settlement where mdtrt_id = %s", visit) == [(1,)]
    assert state(owner_sql, person)[0] == 7000


def test_who_takes_lines_back_while_they_are_settled_gets_one_of_both(center_app, clinic, person, drug, owner_sql):
    for turn in range(6):
        visit, rows = open_visit(clinic, person, [(drug, "1.00", "1"), (drug, "2.00", "1")])
        asked = bill(person, visit, rows, parts=clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"])
        back = {"data": {"mdtrt_id": visit, "chrg_bchno": "B1", "psn_no": person.psn_no}}

        paid, taken = at_once(
            center_app,
            [
                sender(center_app, clinic, "2207", clinic.compose("2207", asked)),
                sender(center_app, clinic, "2205", clinic.compose("2205", back)),
            ],
        )

        paid, taken = envelope.parse_answer(paid.data), envelope.parse_answer(taken.data)
        assert paid.accepted is not taken.accepted, turn
        assert {state for *_, state in lines_of(owner_sql, visit)} == {"settled" if paid.accepted else "cancelled"}
        assert paid.code in {"", "UNKNOWN_BATCH"}
        assert taken.code in {"", "LINES_SETTLED"}


def test_what_the_cashier_saw_must_still_be_so(clinic, person, drug):
    visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])
    trial = clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"]
    seen = amounts.wire_shares(amounts.Shares(1, 2, 3, 4))

    assert (
        clinic.ask("2207", bill(person, visit, rows, parts=trial | {"inscp_scp_amt": "29.00"})).code == "SPLIT_CHANGED"
    )
    assert clinic.ask("2207", bill(person, visit, rows, parts=trial, expected=seen)).code == "SPLIT_CHANGED"
    wrong = bill(person, visit, rows, parts=trial)
    wrong["data"]["medfee_sumamt"] = "31.00"
    assert clinic.ask("2207", wrong).code == "AMOUNT_MISMATCH"
    assert clinic.ask("2207", bill(person, visit, rows, parts=trial)).accepted


def test_a_visit_is_described_before_it_is_settled_but_the_registration_fee_is_not(clinic, person, drug):
    visit = world.register_visit(clinic, person)
    rows = upload(clinic, person, visit, [(drug, "10.00", "1")])

    assert clinic.ask("2206", bill(person, visit, rows)).code == "VISIT_NOT_DESCRIBED"
    assert clinic.ask("2206", bill(person, visit, rows, med_type="12")).output["setlinfo"]["clr_type"] == "12"
    assert clinic.ask("2203", description(person, visit, med_type="14", disease="M03900")).accepted
    assert clinic.ask("2206", bill(person, visit, rows)).code == "VISIT_NOT_DESCRIBED"
    assert clinic.ask("2206", bill(person, visit, rows, med_type="14")).code == "ENTITLEMENT_MISSING"


def test_what_is_not_there_or_anothers_is_not_settled(center_app, clinic, person, drug):
    other, elsewhere = world.make_person(center_app), world.make_shop(center_app, kind="clinic")
    visit, rows = open_visit(clinic, person, [(drug, "10.00", "1")])

    assert clinic.ask("2206", bill(person, visit, rows, batch="B2")).code == "UNKNOWN_BATCH"
    assert clinic.ask("2206", bill(other, visit, rows)).code == "UNKNOWN_VISIT"
    assert elsewhere.ask("2206", bill(person, visit, rows)).code == "UNKNOWN_VISIT"
    assert clinic.ask("2206", bill(person, visit, rows, cert=("02", other.certno))).code == "CREDENTIAL_MISMATCH"


def test_a_chronic_visit_pays_for_listed_drugs_by_its_own_policy(center_app, clinic, drug):
    person = world.make_person(center_app, entitlements=(("chronic", "M03900"),))
    listed = world.make_item(center_app, diseases=("M03900",))
    basket = [(listed, "100.00", "1"), (drug, "100.00", "1")]
    visit, rows = open_visit(clinic, person, basket, med_type="14", disease="M03900")

    answer = settle_visit(clinic, person, visit, rows, med_type="14")

    assert answer.accepted, answer.message
    info = answer.output["setlinfo"]
    assert info["clr_type"] == "14"
    assert envelope.extension(info["exp_content"])["not_pooled"] == "100.00"


def test_a_reversal_puts_everything_back_and_its_lines_wait_again(clinic, person, drug, owner_sql):
    visit, rows = open_visit(clinic, person, [(drug, "500.00", "2")])
    info = settled(clinic, person, visit, rows)
    after = state(owner_sql, person)

    assert take_back(clinic, person, visit).code == "LINES_SETTLED"
    answer = reverse(clinic, person, info)

    told = answer.output["setlinfo"]
    assert told["setl_id"] != info["setl_id"]
    assert (told["medfee_sumamt"], told["pdn_cash_pay"]) == ("-1000.00", f"-{info['psn_cash_pay']}")
    assert after[0] == 0
    assert state(owner_sql, person) == (10000, 0, 0, 0, 0)
    assert lines_of(owner_sql, visit) == [("1", "B1", "uploaded")]
    assert reverse(clinic, person, info).code == "ALREADY_REVERSED"
    assert take_back(clinic, person, visit).accepted


def test_a_settlement_is_reversed_by_its_own_transaction_only(center_app, clinic, shop, person, drug):
    visit, rows = open_visit(clinic, person, [(drug, "10.00", "1")])
    info = settled(clinic, person, visit, rows)
    bought = shop.ask("2102", world.purchase(person, [world.line(drug)])).output["setlinfo"]
    data = {"setl_id": info["setl_id"], "mdtrt_id": visit, "psn_no": person.psn_no}

    assert clinic.ask("2103", {"data": data}).code == "UNKNOWN_SETTLEMENT"
    assert reverse(shop, person, bought).code == "UNKNOWN_SETTLEMENT"
    assert reverse(clinic, person, info).accepted


def test_a_visit_is_cancelled_only_after_its_settlement_and_its_lines(clinic, person, drug, owner_sql):
    visit = world.register_visit(clinic, person, number="M-77")
    clinic.ask("2203", description(person, visit))
    info = settled(clinic, person, visit, upload(clinic, person, visit, [(drug, "10.00", "1")]))

    assert cancel(clinic, person, visit, "M-77").code == "VISIT_SETTLED"
    reverse(clinic, person, info)
    assert cancel(clinic, person, visit, "M-77").accepted


def test_a_partial_refund_is_a_reversal_and_the_remaining_lines_under_the_old_terms(
    clinic, center_app, drug, owner_sql
):
    person = world.make_person(center_app, current_fen=10000)
    visit, rows = open_visit(clinic, person, [(drug, "300.00", "1"), (drug, "200.00", "1")])
    original = settled(clinic, person, visit, rows)
    again = {"replaces_setl_id": original["setl_id"]}

    left = upload(clinic, person, visit, [(drug, "300.00", "1")], batch="B2", first=3)
    early = clinic.ask("2206", bill(person, visit, left, "B2", **again))
    refused = clinic.ask("2207", bill(person, visit, left, "B2", parts=early.output["setlinfo"], **again))
    reverse(clinic, person, original)
    take_back(clinic, person, visit)
    second = settle_visit(clinic, person, visit, left, "B2", **again)

    assert refused.code == "NOT_REPLACEABLE"
    assert second.accepted, second.message
    assert shares(second) == shares(early)
    assert [row[0] for row in owner_sql("select state from visit_line where mdtrt_id = %s order by id", visit)] == [
        "cancelled",
        "cancelled",
        "settled",
    ]
    assert owner_sql("select settlements from visit where mdtrt_id = %s", visit) == [(1,)]
    third = bill(person, visit, left, "B2", **again)
    assert clinic.ask("2206", third).code == "LINES_SETTLED"


def test_2601_takes_a_2207_back_and_twice_does_it_once(clinic, person, drug, owner_sql):
    for infno in ("2207", "2207A"):
        visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])
        parts = clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"]
        msgid = clinic.msgid()
        body = clinic.compose(infno, bill(person, visit, rows, parts=parts), msgid)
        assert envelope.parse_answer(clinic.send(infno, body).data).accepted
        ask = {"data": {"psn_no": person.psn_no, "omsgid": msgid, "oinfno": "2207"}}

        assert clinic.ask("2601", ask).accepted
        assert clinic.ask("2601", ask).accepted
        assert envelope.parse_answer(clinic.send(infno, body).data).code == "MESSAGE_REVERSED"
        assert lines_of(owner_sql, visit) == [("1", "B1", "uploaded")]
        assert state(owner_sql, person)[0] == 10000
        assert settle_visit(clinic, person, visit, rows).accepted
        assert reverse(clinic, person, _latest(owner_sql, visit)).accepted


def _latest(owner_sql, visit):
    [(setl_id,)] = owner_sql(
        "select setl_id from settlement where mdtrt_id = %s and reverses_setl_id is null order by settled_at desc limit 1",
        visit,
    )
    return {"setl_id": setl_id, "mdtrt_id": visit}


def test_2601_that_overtakes_its_2207_leaves_a_tombstone(clinic, person, drug, owner_sql):
    visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])
    parts, msgid = clinic.ask("2206", bill(person, visit, rows)).output["setlinfo"], clinic.msgid()

    assert clinic.ask("2601", {"data": {"psn_no": person.psn_no, "omsgid": msgid, "oinfno": "2207"}}).accepted
    late = clinic.ask("2207", bill(person, visit, rows, parts=parts), msgid)

    assert late.code == "REVERSED_BEFORE_ARRIVAL"
    assert lines_of(owner_sql, visit) == [("1", "B1", "uploaded")]


def test_5203_reads_a_visits_settlement_back(clinic, person, drug):
    visit, rows = open_visit(clinic, person, [(drug, "30.00", "1")])
    info = settled(clinic, person, visit, rows)

    read = clinic.ask("5203", {"data": {"setl_id": info["setl_id"], "mdtrt_id": visit, "psn_no": person.psn_no}})

    told = read.output["setlinfo"]
    assert (told["clr_type"], told["med_type"], told["cash_payamt"]) == ("11", "11", info["psn_cash_pay"])


# ---- the worked cases over the wire --------------------------------------------------------------------------------


def fen(yuan):
    return int(Decimal(yuan) * 100)


def ratio(text):
    return int(Decimal(text) * 10_000)


def publish(center_app, case, area):
    """The case's policy and aids, in force in an area of its own."""
    told, options, common = case["policy"], case["options"], {"version": case["id"], "name": "示例", "area": area}
    segments = [
        {"kind": "SELF", "limit_fen": fen(told["ded"])},
        {"kind": "SHARED", "payer": "hifp", "ratio": ratio(told["ratio"]), "limit_fen": fen(told["cap"])},
        {"kind": "OVERCAP", "payer": "hifob", "ratio": ratio(told["lg_ratio"]), "limit_fen": fen(told["lg_cap"])},
    ]
    days = {"valid_from": "2020-01-01", "valid_until": None}
    benefit = {"insutype": "310", "person_class": "in_service", "benefit_class": "community", "segments": segments}
    aids = []
    if options.get("civil"):
        aid = {"kind": "AID", "payer": "cvlserv", "ratio": ratio(told["cv"]), "basis": "copay"}
        aids.append(common | days | {"entitlement": "civil_servant", "position": 1, "segment": aid})
    if paid := options.get("aid"):
        aid = {"kind": "AID", "payer": "maf", "ratio": ratio(paid["ratio"]), "limit_fen": fen(paid["cap"])}
        aids.append(common | days | {"entitlement": "low_income", "position": 2, "segment": aid})
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        publish_policies([common | days | benefit], aids)


@pytest.mark.parametrize("case", POOLED, ids=[case["id"] for case in POOLED])
def test_a_worked_case_settles_over_the_wire_as_on_paper(center_app, clinic, case):
    state, options, area = case["state"], case["options"], f"34{POOLED.index(case):04d}"
    publish(center_app, case, area)
    person = world.make_person(
        center_app,
        district=area,
        current_fen=fen(options.get("acct", "0")),
        mutual_fen=fen(options.get("mulaid", "0")),
        deductible_fen=fen(state["ded_used"]),
        hifp_fen=fen(state["fund_used"]),
        civil_servant=bool(options.get("civil")),
        entitlements=(("low_income", ""),) if options.get("aid") else (),
    )
    lines = []
    for told in case["lines"]:
        ceiling = Decimal(told["limit"]) if told["limit"] else None
        code = world.make_item(center_app, told["cls"], selfpay=ratio(told["selfpay_prop"]), ceiling=ceiling)
        lines.append((code, told["price"], told["qty"]))

    info = settled(clinic, person, *open_visit(clinic, person, lines))

    names = {
        "med": "medfee_sumamt", "full": "fulamt_ownpay_amt", "over": "overlmt_selfpay", "pre": "preselfpay_amt", "inscp": "inscp_scp_amt",
        "ded": "act_pay_dedc", "hifp": "hifp_pay", "hifob": "hifob_pay", "cv": "cvlserv_pay", "maf": "maf_pay", "fund": "fund_pay_sumamt",
        "psn": "psn_part_amt", "mulaid": "acct_mulaid_pay", "cash": "psn_cash_pay",
    }  # fmt: skip
    assert {ours: fen(info[wire]) for ours, wire in names.items()} == {
        ours: fen(case["expect"][ours]) for ours in names
    }
