"""S001 through the door: a year of a person for the doctor who has them registered today, and whose records were seen."""

import json
from datetime import timedelta

import pytest

from app.center.db import transaction
from app.center.fund import history_statements
from app.core import clock
from app.core.hot import statements
from app.national import envelope
from launcher.databases import connect
from tests.center import world
from tests.center.interface.test_races import at_once, sender
from tests.center.interface.test_reminders import got
from tests.center.interface.test_reverse import settle
from tests.center.interface.test_visits import cancel
from tests.center.world import diagnosis, line, settle_visit


@pytest.fixture
def person(center_app):
    return world.make_person(center_app)


@pytest.fixture
def elsewhere(center_app, policies):
    return world.make_shop(center_app, kind="clinic")


def ask(clinic, person, visit):
    return {"data": {"psn_no": person.psn_no, "mdtrt_id": visit}}


def look(clinic, person, visit):
    return clinic.ask("S001", ask(clinic, person, visit))


def looks(owner_sql, visit):
    return owner_sql(
        "select seen_institution, visits, drugs, news_number is not null from history_look where mdtrt_id = %s order by id",
        visit,
    )


def news_of(owner_sql, institution):
    found = owner_sql(
        "select body from news where stream = %s and kind = 'record.viewed' order by number", institution.code
    )
    return [json.loads(bytes(body)) for (body,) in found]


def test_visits_diagnoses_and_drugs_of_everywhere_come_newest_first(center_app, clinic, elsewhere, shop, person, drug):
    got(elsewhere, person, drug, 14)
    settle(shop, person, [line(drug, "20.00")])
    own = got(clinic, person, drug, 3)
    visit = world.register_visit(clinic, person)

    answer = look(clinic, person, visit)

    visits, drugs = answer.output["mdtrtinfo"], answer.output["feedetail"]
    assert [(row["own_flag"], row["mdtrt_id"]) for row in visits] == [("1", own), ("0", "")]
    assert visits[1]["diseinfo"][0]["diag_name"] == "急性上呼吸道感染"
    assert [(row["own_flag"], row["prd_days"], row["med_list_codg"]) for row in drugs] == [
        ("1", "3", drug),
        ("0", "", drug),
        ("0", "14", drug),
    ]
    assert drugs[0]["fixmedins_name"] == "测试药店"
    assert person.certno not in answer.raw.decode()


def test_what_was_reversed_void_cancelled_or_this_visit_is_not_history(clinic, elsewhere, person, drug):
    gone = world.register_visit(elsewhere, person, number="M-GONE")
    cancel(elsewhere, person, gone, "M-GONE")
    other, rows = world.open_visit(elsewhere, person, [(drug, "1.00", "1")], diagnoses=[diagnosis(valid=False)])
    info = settle_visit(elsewhere, person, other, rows).output["setlinfo"]
    back = {"setl_id": info["setl_id"], "mdtrt_id": other, "psn_no": person.psn_no}
    assert elsewhere.ask("2208", {"data": back}).accepted
    visit, _rows = world.open_visit(clinic, person, [(drug, "1.00", "1")])

    answer = look(clinic, person, visit)

    [seen] = answer.output["mdtrtinfo"]
    assert seen["diseinfo"] == []
    assert answer.output["feedetail"] == []


def test_every_look_is_written_down_and_told_once_a_visit_without_a_name(
    clinic, elsewhere, shop, person, drug, owner_sql
):
    seen = got(elsewhere, person, drug, 14)
    settle(shop, person, [line(drug)])
    visit = world.register_visit(clinic, person)

    look(clinic, person, visit)
    look(clinic, person, visit)

    expected = sorted([(elsewhere.code, 1, 1), (shop.code, 0, 1)])
    found = looks(owner_sql, visit)
    assert sorted(row[:3] for row in found[:2]) == sorted(row[:3] for row in found[2:]) == expected
    assert [row[3] for row in found] == [True, True, False, False]
    [told] = news_of(owner_sql, elsewhere)
    assert (told["viewer"], told["visits"], told["drugs"], told["documents"]) == ("测试药店", 1, 1, [seen])
    assert len(news_of(owner_sql, shop)) == 1
    for name in (person.name, person.psn_no, person.certno):
        assert name not in json.dumps(told, ensure_ascii=False)

    again = world.register_visit(clinic, person)
    look(clinic, person, again)
    assert len(news_of(owner_sql, elsewhere)) == 2


def test_ones_own_records_are_read_without_a_note(clinic, person, drug, owner_sql):
    got(clinic, person, drug, 14)
    visit = world.register_visit(clinic, person)

    with statements() as ran:
        assert look(clinic, person, visit).accepted

    assert len(ran) == 1
    assert looks(owner_sql, visit) == []


def test_without_a_registration_of_today_nothing_is_opened(
    center_app, clinic, elsewhere, person, drug, owner_sql, database_urls
):
    got(elsewhere, person, drug, 14)
    visit = world.register_visit(clinic, person, number="M-S1")
    other = world.make_person(center_app)

    assert look(elsewhere, person, visit).code == "NOT_REGISTERED_TODAY"
    assert look(clinic, other, visit).code == "NOT_REGISTERED_TODAY"
    assert look(clinic, person, "330212").code == "NOT_REGISTERED_TODAY"
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute("update visit set registered_at = registered_at - interval '1 day' where mdtrt_id = %s", (visit,))
    assert look(clinic, person, visit).code == "NOT_REGISTERED_TODAY"
    fresh = world.register_visit(clinic, person, number="M-S2")
    cancel(clinic, person, fresh, "M-S2")
    assert look(clinic, person, fresh).code == "NOT_REGISTERED_TODAY"
    assert looks(owner_sql, visit) == looks(owner_sql, fresh) == []


def test_many_looks_at_once_are_all_written_down(center_app, clinic, elsewhere, shop, person, drug, owner_sql):
    got(elsewhere, person, drug, 14)
    settle(shop, person, [line(drug)])
    visit = world.register_visit(clinic, person)
    bodies = [clinic.compose("S001", ask(clinic, person, visit)) for _ in range(6)]

    answers = at_once(center_app, [sender(center_app, clinic, "S001", body) for body in bodies])

    assert all(envelope.parse_answer(response.data).accepted for response in answers)
    assert len(looks(owner_sql, visit)) == 12


VISITS = """
insert into visit
select (jsonb_populate_record(v, jsonb_build_object(
    'mdtrt_id', v.mdtrt_id || n, 'number', v.number || n, 'registered_at', v.registered_at - make_interval(days => n)
))).* from visit v cross join generate_series(1, 3000) n where v.mdtrt_id = %s
"""
SETTLEMENTS = """
insert into settlement
select (jsonb_populate_record(s, jsonb_build_object(
    'setl_id', s.setl_id || n, 'msgid', s.msgid || n, 'settled_at', s.settled_at - make_interval(days => n)
))).* from settlement s cross join generate_series(1, 3000) n where s.mdtrt_id = %s
"""
LINES = """
insert into settlement_line
select (jsonb_populate_record(l, jsonb_build_object('setl_id', s.setl_id || n))).*
from settlement s join settlement_line l on l.setl_id = s.setl_id cross join generate_series(1, 3000) n where s.mdtrt_id = %s
    and length(s.setl_id) = 30
"""


def test_both_lists_end_and_are_found_by_the_person(center_app, clinic, person, drug, database_urls):
    old, rows = world.open_visit(clinic, person, [(drug, "1.00", "1")] * 3)
    assert settle_visit(clinic, person, old, rows).accepted
    visit = world.register_visit(clinic, person)
    with connect(database_urls["center"]["owner"]) as owner:
        for statement in (VISITS, SETTLEMENTS, LINES):
            owner.execute(statement, (old,))
        owner.execute("analyze visit, settlement, settlement_line, visit_line")
    now = clock.now()
    keys = {
        "mdtrt_id": visit, "psn_no": person.psn_no, "institution": clinic.code, "midnight": now.replace(hour=0),
        "since": now - timedelta(days=365),
    }  # fmt: skip

    with center_app.app_context(), transaction("interface", {}) as hot:
        plan = "\n".join(row[0] for row in hot.run(f"explain {history_statements.HISTORY}", keys))
    output = look(clinic, person, visit).output

    assert (len(output["mdtrtinfo"]), len(output["feedetail"])) == (50, 200)
    assert "visit_person_idx" in plan, plan
    assert "settlement_person_idx" in plan, plan
    assert "settlement_line_pkey" in plan, plan
    assert "Seq Scan on visit v" not in plan, plan
    assert "Seq Scan on settlement" not in plan, plan
