"""2102 through the door: settled to the fen, answered once, two statements, and every refusal says what it is."""

import pytest

from app.core.hot import statements
from app.national import amounts, envelope
from tests.center import world
from tests.center.world import fresh_code, line, purchase, shares


def state(owner_sql, person):
    [row] = owner_sql(
        """select a.current_fen, a.prior_fen, a.mutual_fen, y.deductible_fen, y.hifp_fen
        from account a join person_year y using (psn_no) where psn_no = %s""",
        person.psn_no,
    )
    return row


def test_a_purchase_is_split_shown_and_settled_to_the_fen(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=10000, prior_fen=500, mutual_fen=700)
    basket = [line(drug, "400.00", "2"), line("NMLC999", "5.00", "1", rx="", number="2")]

    trial = shop.ask("2101", purchase(person, basket))
    settled = shop.ask("2102", purchase(person, basket))

    # 800 in scope: 600 deductible, 200 shared at 80 %; 5.00 out of the catalog.
    assert shares(trial) == shares(settled) == (16000, 10500, 700, 53300)
    info = settled.output["setlinfo"]
    assert "setl_id" not in trial.output["setlinfo"]
    assert len(info["setl_id"]) == 30
    assert info["act_pay_dedc"] == "600.00"
    assert info["pool_prop_selfpay"] == "0.8000"
    assert info["balc"] == "0.00"
    assert info["acct_pay"] == "112.00"
    assert envelope.extension(info["exp_content"])["policy"]["version"] == "v2"
    assert [row["chrgitm_lv"] for row in settled.output["detlcutinfo"]] == ["01", "03"]
    assert state(owner_sql, person) == (0, 0, 0, 60000, 16000)
    entries = owner_sql("select pot, amount_fen from account_entry where setl_id = %s order by pot", info["setl_id"])
    assert entries == [("current", -10000), ("mutual", -700), ("prior", -500)]
    lines = owner_sql(
        "select fund_fen, deductible_fen from settlement_line where setl_id = %s order by position", info["setl_id"]
    )
    assert lines == [(16000, 60000), (0, 0)]


def test_a_settlement_is_two_statements(center_app, shop, drug):
    person = world.make_person(center_app, current_fen=10000)
    shop.ask("2101", purchase(person, [line(drug)]))

    with statements() as ran:
        shop.ask("2102", purchase(person, [line(drug, codes=[fresh_code()])]))

    assert len(ran) == 2


def test_without_a_prescription_the_pooled_fund_pays_nothing(center_app, shop, drug):
    person = world.make_person(center_app, current_fen=3000)

    answer = shop.ask("2102", purchase(person, [line(drug, "1000.00", rx="")]))

    assert shares(answer) == (0, 3000, 0, 97000)
    assert answer.output["setlinfo"]["inscp_scp_amt"] == "1000.00"


def test_the_payer_may_decline_the_account(center_app, shop, drug):
    person = world.make_person(center_app, current_fen=3000, mutual_fen=500)

    assert shares(shop.ask("2101", purchase(person, [line(drug)], account="0"))) == (0, 0, 0, 10000)
    assert shares(shop.ask("2101", purchase(person, [line(drug)], account="2"))) == (0, 0, 500, 9500)


def test_the_same_message_again_gives_the_same_bytes_and_changes_nothing(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=10000)
    body = shop.compose("2102", purchase(person, [line(drug, "30.00")]))

    first, second = shop.send("2102", body), shop.send("2102", body)

    assert first.data == second.data
    assert envelope.parse_answer(first.data).accepted
    assert state(owner_sql, person)[0] == 7000


def test_other_content_under_the_same_id_is_refused(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=10000)
    msgid = shop.msgid()

    assert shop.ask("2102", purchase(person, [line(drug, "30.00")]), msgid).accepted
    refused = shop.ask("2102", purchase(person, [line(drug, "31.00")]), msgid)

    assert refused.code == "MESSAGE_CHANGED"
    assert state(owner_sql, person)[0] == 7000


def test_a_refusal_is_kept_as_the_answer_of_its_message(center_app, shop, drug):
    person = world.make_person(center_app, status="lost")
    body = shop.compose("2102", purchase(person, [line(drug)]))

    first = shop.send("2102", body)
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        from app.center.registry.actions import set_status

        set_status(person.psn_no, "normal")

    assert shop.send("2102", body).data == first.data
    assert envelope.parse_answer(first.data).code == "CARD_LOST"
    assert shop.ask("2102", purchase(person, [line(drug)])).accepted


def test_arrears_leave_the_account_only(center_app, shop, drug):
    person = world.make_person(center_app, current_fen=2000, coverage_status="arrears")

    answer = shop.ask("2102", purchase(person, [line(drug, "2000.00")]))

    assert shares(answer) == (0, 2000, 0, 198000)
    assert envelope.extension(answer.output["setlinfo"]["exp_content"])["account_only"]


def test_aids_pay_after_the_fund(center_app, shop, drug):
    person = world.make_person(center_app, civil_servant=True)

    answer = shop.ask("2102", purchase(person, [line(drug, "1000.00")]))

    # 400 shared at 80 %: 80 left to the person, half of it aided.
    assert answer.output["setlinfo"]["cvlserv_pay"] == "40.00"
    assert shares(answer) == (36000, 0, 0, 64000)


def test_a_chronic_entitlement_selects_its_policy_and_its_drugs(center_app, shop, drug):
    person = world.make_person(center_app, entitlements=(("chronic", "M03900"),))
    listed = world.make_item(center_app, diseases=("M03900",))
    basket = [line(listed, "100.00"), line(drug, "100.00", number="2")]

    answer = shop.ask("2102", purchase(person, basket, med_type="14", disease="M03900"))

    assert shares(answer) == (8000, 0, 0, 12000)
    assert shop.ask("2102", purchase(person, basket, med_type="14", disease="M01234")).code == "ENTITLEMENT_MISSING"


def test_a_drug_for_others_is_paid_in_full_and_raises_the_score(center_app, shop):
    person = world.make_person(center_app)
    women = world.make_item(center_app, sex_limit="2")

    answer = shop.ask("2102", purchase(person, [line(women)]))

    assert answer.output["setlinfo"]["fulamt_ownpay_amt"] == "100.00"
    identity = envelope.extension(answer.output["setlinfo"]["exp_content"])["identity"]
    assert (identity["score"], identity["band"]) == (40, "ask")
    assert {name: value for name, value in identity["signals"][0].items() if name != "text"} == {
        "code": "drug_contrary_to_person",
        "weight": 40,
        "known": True,
    }


def test_a_hold_needs_a_reason_where_the_parameter_says_so(center_app, drug, policies):
    shop = world.make_shop(center_app)
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        from app.center.registry.actions import set_parameter

        set_parameter("identity_gate", "hold", scope=shop.code)
    person = world.make_person(center_app, watched=True)
    women = world.make_item(center_app, sex_limit="2")

    held = shop.ask("2102", purchase(person, [line(women)]))
    overridden = shop.ask("2102", purchase(person, [line(women)], override="本人持证，已核对"))

    assert held.code == "IDENTITY_HELD"
    assert overridden.accepted


def test_a_split_that_is_not_the_one_shown_is_refused(center_app, shop, drug):
    person = world.make_person(center_app, current_fen=5000)
    seen = amounts.wire_shares(amounts.Shares(0, 5000, 0, 5000))

    shop.ask("2102", purchase(person, [line(drug, "20.00")]))
    refused = shop.ask("2102", purchase(person, [line(drug)], expected=seen))
    right = amounts.wire_shares(amounts.Shares(0, 3000, 0, 7000))

    assert refused.code == "SPLIT_CHANGED"
    assert "70.00" in refused.message
    assert shop.ask("2102", purchase(person, [line(drug)], expected=right)).accepted


@pytest.mark.parametrize(
    "expected",
    [7, [], {"acct_pay": "1"}, dict.fromkeys(amounts.EXPECTED, "x"), dict.fromkeys(amounts.EXPECTED, "1e99")],
)
def test_a_wrong_expectation_is_refused(center_app, shop, drug, expected):
    person = world.make_person(center_app)

    assert shop.ask("2102", purchase(person, [line(drug)], expected=expected)).code == "wrong_input"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": "lost"}, "CARD_LOST"),
        ({"status": "frozen", "status_reason": "F02"}, "PERSON_FROZEN"),
        ({"status": "deceased"}, "PERSON_DECEASED"),
        ({"coverage_status": "stopped"}, "NOT_COVERED"),
    ],
)
def test_status_refuses_in_all_three(center_app, shop, drug, facts, code):
    person = world.make_person(center_app, **facts)

    for infno in ("2101", "2102"):
        refused = shop.ask(infno, purchase(person, [line(drug)]))
        assert refused.code == code
        assert refused.message


def test_wrong_purchases_are_refused_with_what_is_wrong(center_app, shop, drug):
    person, other = world.make_person(center_app), world.make_person(center_app)
    good = line(drug)

    def code(given):
        return shop.ask("2102", given).code

    assert code(purchase(person, [good | {"det_item_fee_sumamt": "100.01"}])) == "AMOUNT_MISMATCH"
    assert code(purchase(person, [good | {"cnt": "0", "det_item_fee_sumamt": "0"}])) == "LINE_NOT_ACCEPTABLE"
    assert code(purchase(person, [good | {"cnt": "-1", "det_item_fee_sumamt": "-100"}])) == "LINE_NOT_ACCEPTABLE"
    assert code(purchase(person, [good, good])) == "LINE_NOT_ACCEPTABLE"
    wrong_total = purchase(person, [good])
    wrong_total["druginfo"]["medfee_sumamt"] = "1"
    assert code(wrong_total) == "AMOUNT_MISMATCH"
    assert code(purchase(person, [good], cert=("02", other.certno))) == "CREDENTIAL_MISMATCH"
    assert code(purchase(person, [good], cert=("03", other.card))) == "CREDENTIAL_MISMATCH"
    assert code(purchase(person, [good], cert=("01", "330212ecmec"))) == "ECERT_NOT_USABLE"
    stranger = purchase(person, [good])
    stranger["druginfo"]["psn_no"] = "nobody"
    assert code(stranger) == "UNKNOWN_PERSON"
    assert code(purchase(person, [good]) | {"drugdetail": []}) == "FIELDS_WRONG"
    uncovered = purchase(person, [good])
    uncovered["druginfo"]["insutype"] = "390"
    assert code(uncovered) in {"NOT_COVERED", "UNKNOWN_PERSON"}


def test_an_institution_without_agreement_is_refused(center_app, policies, drug):
    from datetime import date

    person = world.make_person(center_app)
    ended = world.make_shop(center_app, agreement_from=date(2020, 1, 1), agreement_until=date(2020, 12, 31))

    assert ended.ask("2102", purchase(person, [line(drug)])).code == "INSTITUTION_NOT_IN_FORCE"


def test_the_first_settlement_of_a_year_opens_the_year(center_app, shop, drug, owner_sql, database_urls):
    import psycopg

    person = world.make_person(center_app, current_fen=100)
    with psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection:
        connection.execute("delete from person_year where psn_no = %s", (person.psn_no,))

    assert shop.ask("2101", purchase(person, [line(drug)])).accepted
    assert shop.ask("2102", purchase(person, [line(drug)])).accepted
    assert state(owner_sql, person)[3] == 10000


def test_the_settlement_keeps_what_it_was_made_with(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=700)
    answer = shop.ask(
        "2102", purchase(person, [line(drug, "900.00")], agent={"certno": "330212199001010012", "name": "王芳"})
    )

    [(snapshot, policy_id, agent)] = owner_sql(
        "select snapshot, policy_id, agent_lookup from settlement where setl_id = %s",
        answer.output["setlinfo"]["setl_id"],
    )

    assert snapshot["policy"]["id"] == policy_id
    assert snapshot["policy"]["segments"][0] == {"kind": "SELF", "limit_fen": 60000}
    assert snapshot["accounts"]["current_fen"] == 700
    assert snapshot["counters"]["deductible_fen"] == 0
    assert agent is not None
