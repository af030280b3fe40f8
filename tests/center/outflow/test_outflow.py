"""S010-S015 through the door: issued, fetched by its code alone, locked by one, given back, void, too old."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from app.national import envelope, rx_code
from launcher.databases import connect
from tests.center import world
from tests.center.interface.test_races import at_once, sender
from tests.center.outflow.papers import (
    CERTNO,
    DIAGNOSIS,
    NAME,
    drug,
    fetch,
    issue,
    let_go,
    lock,
    paper,
    states,
    void,
)


def test_a_prescription_gets_a_number_and_a_code_that_says_nothing(clinic, owner_sql):
    told = issue(clinic)

    assert rx_code.read(told["rx_trace_code"]) == told["rx_trace_code"]
    assert told["rx_stas"] == "REVIEWED"
    [(row,)] = owner_sql("select p::text from eprescription p where number = %s", told["rx_no"])
    for secret in (NAME, CERTNO, told["rx_trace_code"], DIAGNOSIS, DIAGNOSIS.encode().hex()):
        assert secret not in row
    kinds = "select kind from eprescription_event e join eprescription p on p.id = e.prescription_id where p.number = %s order by e.id"
    assert [kind for (kind,) in owner_sql(kinds, told["rx_no"])] == ["ISSUED", "REVIEWED"]


def test_the_same_paper_again_gets_the_same_code_and_another_is_refused(clinic):
    sent = paper()
    first, again = clinic.ask("S010", sent).output["data"], clinic.ask("S010", sent).output["data"]
    changed = sent | {"rxdetail": [drug(1, packs=9)]}

    assert first == again
    assert clinic.ask("S010", changed).code == "PRESCRIPTION_CHANGED"


def test_twins_are_issued_once(center_app, clinic, owner_sql):
    sent = paper()
    bodies = [clinic.compose("S010", sent) for _ in range(4)]

    answers = at_once(center_app, [sender(center_app, clinic, "S010", body) for body in bodies])

    codes = {envelope.parse_answer(response.data).output["data"]["rx_trace_code"] for response in answers}
    assert len(codes) == 1
    assert owner_sql("select count(*) from eprescription where document = %s", sent["data"]["rx_docm_id"]) == [(1,)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"phar_codg": "D330212000004"}, "两个人"),
        ({"vali_end_date": "2020-01-01"}, "已过期"),
        ({"prsc_time": "2020-01-01 08:00:00"}, "已过期"),
        ({"rx_chk_time": "2020-01-01 08:00:00"}, "审方时间早于"),
        ({"rx_docm_id": "x"}, "UUID"),
    ],
)
def test_what_was_not_signed_by_two_or_is_too_old_is_refused(clinic, changes, said):
    answer = clinic.ask("S010", paper(**changes))

    assert not answer.accepted
    assert said in answer.message


@pytest.mark.parametrize(
    "drugs", [[drug(1), drug(1)], [drug(n) for n in range(1, 22)], [drug(cnt="0")], [drug(cnt="1.5")]]
)
def test_lines_that_cannot_be_are_refused(clinic, drugs):
    assert not clinic.ask("S010", paper(*drugs)).accepted


def test_a_suspended_doctor_sends_nothing_out(clinic, database_urls):
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute(
            "insert into practitioner (code, institution_code, district, name, eligible_from, suspended_until) values ('D330212000004', %s, '330212', '江海明', '2020-01-01', '2030-01-01')",
            (clinic.code,),
        )

    assert clinic.ask("S010", paper()).code == "DOCTOR_NOT_ELIGIBLE"


def test_validity_is_at_most_the_centers(clinic):
    told = issue(clinic, days=9)

    assert told["vali_end_date"] == envelope.wire_date(clock.business_date() + timedelta(days=3))


def test_who_holds_the_code_reads_it_masked_and_who_takes_it_on_reads_the_name(clinic, shop):
    code = issue(clinic)["rx_trace_code"]

    seen = fetch(shop, f"{rx_code.PREFIX}{rx_code.shown(code).lower()}")
    locked = lock(shop, code)

    assert seen.output["data"]["psn_name"] == "欧**配"
    assert CERTNO not in seen.raw.decode()
    assert [row["diag_name"] for row in seen.output["diseinfo"]] == [DIAGNOSIS]
    assert [(row["med_list_codg"], row["cnt"], row["left_cnt"]) for row in seen.output["rxdetail"]] == [
        ("XC01", "14", "14"),
        ("XC02", "7", "7"),
    ]
    assert (locked.output["data"]["psn_name"], locked.output["data"]["certno"]) == (NAME, CERTNO)
    assert locked.output["data"]["lock_flag"] == "1"


def test_each_kind_of_institution_does_its_own_part(clinic, shop):
    code = issue(clinic)["rx_trace_code"]

    assert shop.ask("S010", paper()).code == "NOT_FOR_THIS_INSTITUTION"
    assert fetch(clinic, code).code == lock(clinic, code).code == "NOT_FOR_THIS_INSTITUTION"


def test_guessing_is_stopped_even_for_the_right_code(clinic, shop, other_shop):
    code = issue(clinic)["rx_trace_code"]
    wrong = [fetch(shop, rx_code.make()).code for _ in range(20)]

    assert set(wrong) == {"UNKNOWN_PRESCRIPTION"}
    assert fetch(shop, code).code == lock(shop, code).code == "TOO_MANY_WRONG_CODES"
    assert fetch(shop, "nonsense").code == "UNKNOWN_PRESCRIPTION"
    assert fetch(other_shop, code).accepted


def test_two_pharmacies_lock_at_once_and_one_has_it(center_app, clinic, shop, other_shop):
    code = issue(clinic)["rx_trace_code"]
    asked = {"data": {"rx_trace_code": code}}

    answers = at_once(
        center_app, [sender(center_app, one, "S012", one.compose("S012", asked)) for one in (shop, other_shop) * 3]
    )

    said = [envelope.parse_answer(response.data) for response in answers]
    assert sorted(answer.code for answer in said if not answer.accepted) == ["PRESCRIPTION_LOCKED"] * 3
    assert {answer.output["data"]["lock_sn"] for answer in said if answer.accepted} == {"1"}


def test_asked_again_the_lock_is_the_same(clinic, shop):
    code = issue(clinic)["rx_trace_code"]

    assert lock(shop, code).output == lock(shop, code).output


def test_a_lock_is_given_back_by_its_holder_only_and_late_news_opens_no_newer_one(clinic, shop, other_shop):
    told = issue(clinic)
    number, code = told["rx_no"], told["rx_trace_code"]
    lock(shop, code)

    let_go(other_shop, number, 1)
    assert lock(other_shop, code).code == "PRESCRIPTION_LOCKED"
    assert let_go(shop, number, 2).code == "UNKNOWN_PRESCRIPTION"
    assert let_go(shop, number, 1).output["data"]["rx_stas"] == "REVIEWED"
    assert lock(shop, code).output["data"]["lock_sn"] == "2"
    assert let_go(shop, number, 1).accepted
    assert lock(other_shop, code).code == "PRESCRIPTION_LOCKED"


def age(database_urls, number, days):
    """So many days and an hour later: a lock holds for an hour of grace after its last midnight."""
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute(
            "update eprescription set issued_on = issued_on - %s::int, valid_until = valid_until - %s::int, locked_until = locked_until - %s::int, frees_at = frees_at - make_interval(days => %s, hours => 1) where number = %s",
            (days, days, days, days, number),
        )


def test_a_lapsed_lock_is_another_pharmacys_to_take(clinic, shop, other_shop, database_urls):
    told = issue(clinic, days=3)
    lock(shop, told["rx_trace_code"])
    age(database_urls, told["rx_no"], 2)

    assert fetch(shop, told["rx_trace_code"]).output["data"]["rx_stas"] == "REVIEWED"
    assert lock(other_shop, told["rx_trace_code"]).output["data"]["lock_sn"] == "2"


def test_what_is_too_old_is_expired_when_read(clinic, shop, database_urls):
    sent = paper()
    told = clinic.ask("S010", sent).output["data"]
    age(database_urls, told["rx_no"], 9)

    assert fetch(shop, told["rx_trace_code"]).output["data"]["rx_stas"] == "EXPIRED"
    assert lock(shop, told["rx_trace_code"]).code == "PRESCRIPTION_OVER"
    assert states(clinic, sent["data"]["rx_docm_id"])[sent["data"]["rx_docm_id"]]["rx_stas"] == "EXPIRED"


def test_only_who_issued_it_makes_it_void_and_not_while_locked(center_app, clinic, shop):
    sent = paper()
    document = sent["data"]["rx_docm_id"]
    told = clinic.ask("S010", sent).output["data"]
    stranger = world.make_shop(center_app, kind="clinic")
    lock(shop, told["rx_trace_code"])

    assert void(stranger, document).code == "UNKNOWN_PRESCRIPTION"
    assert void(clinic, document).code == "PRESCRIPTION_LOCKED"
    let_go(shop, told["rx_no"], 1)
    assert [void(clinic, document).output["data"]["rx_stas"] for _ in range(2)] == ["VOID", "VOID"]
    assert lock(shop, told["rx_trace_code"]).code == "PRESCRIPTION_OVER"


def test_states_are_of_ones_own_only(center_app, clinic, shop):
    sent = paper()
    document = sent["data"]["rx_docm_id"]
    clinic.ask("S010", sent)
    stranger = world.make_shop(center_app, kind="clinic")

    assert states(stranger, document) == {}
    assert states(clinic, document, str(uuid4()))[document]["rx_stas"] == "REVIEWED"


def test_reading_and_locking_take_few_statements(clinic, shop):
    code = issue(clinic, *[drug(n) for n in range(1, 6)])["rx_trace_code"]

    with statements() as ran:
        fetch(shop, code)
    assert len([one for one in ran if "eprescription" in one]) <= 3
    with statements() as ran:
        lock(shop, code)
    assert len([one for one in ran if "eprescription" in one]) <= 5
