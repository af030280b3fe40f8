"""3101 and 3103 through the door: a draft is looked at with the person's running supplies, and what was done is kept."""

from datetime import timedelta

import pytest

from app.center.audit import reminder_statements
from app.center.db import transaction
from app.center.registry.actions import set_parameter
from app.core import clock, personal
from app.core.hot import statements
from launcher.databases import connect
from tests.center import world
from tests.center.world import charge, description, draft, order, settle_visit


@pytest.fixture
def person(center_app):
    return world.make_person(center_app)


@pytest.fixture
def visit(clinic, person):
    return world.register_visit(clinic, person)


def got(place, person, code, days, ago=0, settled=True):
    """Let somebody prescribe a drug for some days, some days ago; returns the visit."""
    at = clock.local(clock.now()) - timedelta(days=ago)
    visit = world.register_visit(place, person)
    place.ask("2203", description(person, visit))
    row = charge(person, visit, code, prd_days=str(days), fee_ocur_time=f"{at:%Y-%m-%d} 09:00:00")
    assert place.ask("2204", {"feedetail": [row]}).accepted
    if settled:
        assert settle_visit(place, person, visit, [row]).accepted
    return visit


def found(answer):
    assert answer.accepted, answer.message
    return [row["rule_id"] for row in answer.output["result"]]


def test_a_drug_that_still_lasts_from_elsewhere_comes_back_with_this_patients_fact(
    center_app, clinic, person, visit, drug, owner_sql
):
    elsewhere = world.make_shop(center_app, kind="clinic")
    got(elsewhere, person, drug, 30, ago=10)

    answer = clinic.ask("3101", draft(person, visit, [order(drug, 7)]))

    [row] = answer.output["result"]
    on = clock.business_date() - timedelta(days=10)
    assert (row["rule_id"], row["rule_name"], row["sev_deg"], row["vola_amt"]) == ("R046", "重复开药", "2", "30.00")
    assert f"{on.month} 月 {on.day} 日在另一家机构开过阿莫西林胶囊 30 天的量，还有约 19 天" in row["vola_cont"]
    assert elsewhere.code not in answer.raw.decode()
    assert row["judge_result_detail_dtos"][0]["rx_id"] == "1"
    [(sealed, text)] = owner_sql("select content_sealed, w::text from warning w where jr_id = %s", row["jr_id"])
    assert personal.unseal("center", bytes(sealed)) == row["vola_cont"]
    assert "阿莫西林" not in text


def test_what_is_used_up_reversed_or_never_settled_is_no_supply(clinic, person, visit, drug):
    got(clinic, person, drug, 30, ago=40)
    got(clinic, person, drug, 30, settled=False)

    assert found(clinic.ask("3101", draft(person, visit, [order(drug, 7)]))) == []


def test_without_a_registration_here_nobodys_history_is_told(center_app, clinic, person, visit, drug):
    elsewhere = world.make_shop(center_app, kind="clinic")
    got(elsewhere, person, drug, 30)
    stranger = world.make_shop(center_app, kind="clinic")

    assert found(clinic.ask("3101", draft(person, visit, [order(drug)]))) == ["R046"]
    for mdtrt_id in (visit, "draft-1"):
        assert found(stranger.ask("3101", draft(person, mdtrt_id, [order(drug)]))) == []
    assert found(clinic.ask("3101", draft(world.make_person(center_app), visit, [order(drug)]))) == []


def test_the_catalogs_limits_are_compared_with_the_registered_person(center_app, clinic, person, visit):
    women = world.make_item(center_app, sex_limit="2")
    children = world.make_item(center_app, age_from=3, age_to=12)
    asked = draft(person, visit, [order(women), order(children, number="2")], gend="2", brdy="2020-01-01")

    assert found(clinic.ask("3101", asked)) == ["R044", "R007"]
    unregistered = draft(person, "draft-2", [order(women), order(children, number="2")], gend="2", brdy="2020-01-01")
    assert found(clinic.ask("3101", unregistered)) == []


def test_days_follow_the_category_and_the_parameter_of_the_day(center_app, clinic, person, visit, drug):
    assert found(clinic.ask("3101", draft(person, visit, [order(drug, 14)]))) == ["R009"]
    assert found(clinic.ask("3101", draft(person, visit, [order(drug, 14)], med_type="14"))) == []
    assert found(clinic.ask("3101", draft(person, visit, [order(drug, 4)], med_type="13"))) == ["R009"]
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        set_parameter("supply_days_ordinary", "30", scope=clinic.code)
    assert found(clinic.ask("3101", draft(person, visit, [order(drug, 14)]))) == []


def test_only_the_current_orders_are_the_draft(clinic, person, visit, drug):
    asked = draft(person, visit, [order(drug, 14, current="0"), order(drug, 3, number="2")])

    assert found(clinic.ask("3101", asked)) == []


def test_the_same_draft_again_is_the_same_warning_in_two_statements(clinic, person, visit, drug, owner_sql):
    asked = draft(person, visit, [order(drug, 14)])
    first = clinic.ask("3101", asked)

    with statements() as ran:
        again = clinic.ask("3101", asked)

    assert again.output == first.output
    assert len(ran) == 2
    assert owner_sql("select count(*) from warning where mdtrt_id = %s", visit) == [(1,)]


def test_what_was_done_is_kept_and_never_changed(center_app, clinic, person, visit, drug, owner_sql):
    [row] = clinic.ask("3101", draft(person, visit, [order(drug, 14)])).output["result"]
    elsewhere = world.make_shop(center_app, kind="clinic")

    def feedback(way, reason="", who=clinic, jr_id=row["jr_id"]):
        warn = {"warn_rslt_id": jr_id, "dspo_way": way, "dspo_way_rea": reason}
        return who.ask("3103", {"data": {"warn_type": "1", "warns": [warn]}})

    assert feedback("1", "外出两周").accepted
    assert feedback("1", "外出两周").accepted
    assert feedback("2").accepted
    assert feedback("1").code == "wrong_input"
    assert feedback("3").code == "wrong_input"
    assert feedback("1", "长" * 201).code == "wrong_input"
    assert feedback("2", who=elsewhere).code == "UNKNOWN_WARNING"
    assert feedback("2", jr_id="0" * 32).code == "UNKNOWN_WARNING"
    assert owner_sql("select way, reason from warning_answer where jr_id = %s order by id", row["jr_id"]) == [
        ("1", "外出两周"),
        ("2", ""),
    ]


@pytest.mark.parametrize("spoil", ["patient_dtos", "fsi_encounter_dtos", "fsi_order_dtos"])
@pytest.mark.parametrize("rest", [[], [7], "x", None])
def test_a_draft_without_its_parts_is_refused(clinic, person, visit, drug, spoil, rest):
    asked = draft(person, visit, [order(drug)])
    patient = asked["data"]["patient_dtos"][0]
    holder = {
        "patient_dtos": asked["data"],
        "fsi_encounter_dtos": patient,
        "fsi_order_dtos": patient["fsi_encounter_dtos"][0],
    }[spoil]
    holder[spoil] = rest

    assert clinic.ask("3101", asked).code in {"wrong_input", "FIELDS_WRONG"}


@pytest.mark.parametrize("days", ["nan", "-3", "1e9999", "x", None, [], {}, "100000000000"])
def test_days_that_are_none_are_none(clinic, person, visit, drug, days):
    asked = order(drug)
    asked["extend_order_map"] = {"o_prdDays": days}

    assert found(clinic.ask("3101", draft(person, visit, [asked]))) == []


# ---- however long the person has been ill --------------------------------------------------------------------------

HISTORY = """
with visited as (
    insert into visit (mdtrt_id, institution_code, district, psn_no, insutype, number, department, department_name, caty, begun_at,
        registered_at, operator)
    select %(stem)s || n, %(institution)s, '330212', %(psn_no)s, '310', %(stem)s || n, '03', '内科', 'A03', %(now)s, %(now)s, '1'
    from generate_series(1, 200) n
    returning mdtrt_id
)
insert into visit_line (mdtrt_id, institution_code, district, psn_no, batch, number, code, own_code, name, price, quantity, amount_fen,
    days, occurred_at, supply_until, department, department_name, doctor, doctor_name, digest, state, setl_id, uploaded_at)
select v.mdtrt_id, %(institution)s, '330212', %(psn_no)s, 'B1', n::text, 'X' || n, 'P1', '', 1, 1, 100, 7, %(now)s,
    (%(now)s::timestamptz - make_interval(days => n * 5))::date, '03', '内科', 'D1', '郑', '\\x00', 'settled', %(setl_id)s, %(now)s
from visited v cross join generate_series(1, 70) n
"""


@pytest.fixture(scope="module")
def old_history(center_app, database_urls):
    """Two persons who have come for years; returns the one registered now."""
    world.make_policies(center_app)
    clinic, drug = world.make_shop(center_app, kind="clinic"), world.make_item(center_app)
    people = [world.make_person(center_app) for _ in range(2)]
    for person in people:
        visit, rows = world.open_visit(clinic, person, [(drug, "1.00", "1")])
        info = settle_visit(clinic, person, visit, rows).output["setlinfo"]
        with connect(database_urls["center"]["owner"]) as owner:
            keys = {"institution": clinic.code, "psn_no": person.psn_no, "setl_id": info["setl_id"], "now": clock.now()}
            owner.execute(HISTORY, {**keys, "stem": f"h{person.psn_no[-8:]}-"})
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute("analyze visit, visit_line")
    return clinic, people[0], drug, visit


def test_only_what_still_lasts_is_read_of_a_years_history(center_app, old_history):
    clinic, person, drug, _ = old_history
    visit = world.register_visit(clinic, person)
    ask = {
        "mdtrt_id": visit, "institution": clinic.code, "psn_no": person.psn_no, "items": [drug], "today": clock.business_date(),
        "parameters": ["supply_days_left"],
    }  # fmt: skip

    with center_app.app_context(), transaction("interface", {}) as hot:
        plan = [
            row[0] for row in hot.run(f"explain (analyze, timing off, summary off) {reminder_statements.FACTS}", ask)
        ]

    text = "\n".join(plan)
    assert "Seq Scan on visit" not in text, text
    place = next(number for number, row in enumerate(plan) if "visit_line" in row)
    assert "visit_line_supply_idx" in plan[place], text
    assert "psn_no = " in plan[place + 1], text
    assert "supply_until >= " in plan[place + 1], text
