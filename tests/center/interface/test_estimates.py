"""S002 through the door: what the fund would pay of a draft is what 2206 says of the same lines, and nothing is written."""

import pytest

from app.core.hot import statements
from tests.center import world
from tests.center.interface.test_visits import cancel


def asked(person, visit, lines, **changes):
    """What a doctor is writing: (code, price, quantity)."""
    rows = [
        {
            "feedetl_sn": str(n), "med_list_codg": code, "medins_list_codg": "OWN", "det_item_fee_sumamt": f"{float(price) * float(quantity):.2f}", "cnt": quantity,
            "pric": price,
        }
        for n, (code, price, quantity) in enumerate(lines, 1)
    ]  # fmt: skip
    total = sum(float(row["det_item_fee_sumamt"]) for row in rows)
    data = {
        "psn_no": person.psn_no,
        "mdtrt_id": visit,
        "med_type": "11",
        "dise_codg": "-",
        "acct_used_flag": "1",
        "medfee_sumamt": f"{total:.2f}",
    }
    return {"data": data | changes, "feedetail": rows}


SHARED = (
    "medfee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_scp_amt",
    "fund_pay_sumamt",
    "psn_part_amt",
)


@pytest.mark.parametrize(
    "facts", [{}, {"deductible_fen": 60_000}, {"deductible_fen": 58_000, "current_fen": 900}, {"insutype": "390"}]
)
def test_an_estimate_is_the_split_of_the_same_lines(center_app, clinic, drug, facts):
    dear = world.make_item(center_app, grade="B", selfpay=1_500, ceiling="30.00")
    lines = [(drug, "21.37", "3"), (dear, "41.99", "2"), ("NMLC999", "20.00", "1")]
    person = world.make_person(center_app, **facts)
    visit, rows = world.open_visit(clinic, person, lines)

    said = clinic.ask("S002", asked(person, visit, lines)).output["setlinfo"]

    shown = clinic.ask("2206", world.bill(person, visit, rows)).output["setlinfo"]
    assert {name: said[name] for name in SHARED} == {name: shown[name] for name in SHARED}
    assert float(said["fund_pay_sumamt"]) > 0 or "deductible_fen" not in facts


def test_nothing_is_written_and_two_statements_are_enough(clinic, drug, center_app, owner_sql):
    person = world.make_person(center_app)
    visit = world.register_visit(clinic, person)
    with statements() as few:
        assert clinic.ask("S002", asked(person, visit, [(drug, "10.00", "1")])).accepted
    with statements() as many:
        assert clinic.ask("S002", asked(person, visit, [(drug, "10.00", "1")] * 20)).accepted
    assert len(many) == len(few) <= 4
    assert owner_sql("select count(*) from visit_line where mdtrt_id = %s", visit) == [(0,)]


def test_a_strange_or_cancelled_visit_is_refused(center_app, clinic, drug):
    person, other = world.make_person(center_app), world.make_person(center_app)
    visit = world.register_visit(clinic, person, number="M-EST")
    elsewhere, lines = world.make_shop(center_app, kind="clinic"), [(drug, "10.00", "1")]
    assert elsewhere.ask("S002", asked(person, visit, lines)).code == "UNKNOWN_VISIT"
    assert clinic.ask("S002", asked(other, visit, lines)).code == "UNKNOWN_VISIT"
    assert not clinic.ask("S002", asked(person, visit, lines * 201)).accepted
    assert clinic.ask("S002", asked(person, visit, lines, medfee_sumamt="1.00")).code == "AMOUNT_MISMATCH"
    cancel(clinic, person, visit, "M-EST")
    assert clinic.ask("S002", asked(person, visit, lines)).code == "VISIT_CANCELLED"
