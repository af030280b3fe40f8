"""Races with real connections on real PostgreSQL: twins, one code at two tills, an account to its last fen, overtaking."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from app.center.registry.actions import set_parameter
from app.national import envelope
from tests.center import world
from tests.center.interface.test_reverse import cancel, settle
from tests.center.interface.test_settle import state
from tests.center.world import fresh_code, line, purchase, shares


def at_once(app, jobs):
    """Start all jobs behind one gate, each with a client of its own."""
    gate = threading.Barrier(len(jobs))

    def run(job):
        gate.wait(10)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def sender(app, shop, infno, body):
    own = world.Shop(app.test_client(), shop.code, shop.secret, shop.district)
    return lambda: own.send(infno, body)


def test_the_same_message_eight_times_is_one_settlement_and_eight_equal_answers(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=100000)
    body = shop.compose("2102", purchase(person, [line(drug, "30.00", codes=[fresh_code()])]))

    answers = at_once(center_app, [sender(center_app, shop, "2102", body)] * 8)

    assert {response.status_code for response in answers} == {200}
    assert len({response.data for response in answers}) == 1
    assert envelope.parse_answer(answers[0].data).accepted
    assert state(owner_sql, person)[0] == 97000
    assert owner_sql("select count(*) from settlement where psn_no = %s", person.psn_no) == [(1,)]


def test_two_institutions_and_one_code_are_two_sales_and_one_flag(center_app, shop, drug, owner_sql, policies):
    other, code = world.make_shop(center_app), fresh_code()
    jobs = []
    for place in (shop, other):
        basket = [line(drug, codes=[code])]
        jobs.append(
            sender(center_app, place, "2102", place.compose("2102", purchase(world.make_person(center_app), basket)))
        )

    answers = [envelope.parse_answer(response.data) for response in at_once(center_app, jobs)]

    flagged = [envelope.extension(answer.output["setlinfo"]["exp_content"])["duplicates"] for answer in answers]
    assert sorted(flagged) == [[], [{"code": code, "line": "1"}]]
    claims = owner_sql("select holds, duplicate from code_claim where code = %s order by holds", code)
    assert claims == [(False, True), (True, False)]


def test_where_the_parameter_says_refuse_the_second_sale_is_refused(center_app, drug, owner_sql, policies):
    shops, code = [world.make_shop(center_app) for _ in range(2)], fresh_code()
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        for place in shops:
            set_parameter("duplicate_code", "refuse", scope=place.code)
    jobs = [
        sender(
            center_app,
            place,
            "2102",
            place.compose("2102", purchase(world.make_person(center_app), [line(drug, codes=[code])])),
        )
        for place in shops
    ]

    answers = [envelope.parse_answer(response.data) for response in at_once(center_app, jobs)]

    assert sorted(answer.code for answer in answers) == ["", "CODE_CLAIMED"]
    assert owner_sql("select count(*) from code_claim where code = %s", code) == [(1,)]


def test_a_split_pack_is_sold_many_times_here_but_not_elsewhere(center_app, shop, drug, policies):
    code, other = fresh_code(), world.make_shop(center_app)
    basket = [line(drug, codes=[code], split=True)]

    def duplicates(place):
        info = settle(place, world.make_person(center_app), basket)
        return envelope.extension(info["exp_content"])["duplicates"]

    assert duplicates(shop) == []
    assert duplicates(shop) == []
    assert duplicates(other) == [{"code": code, "line": "1"}]


def test_the_same_code_twice_in_one_purchase_is_flagged(center_app, shop, drug):
    code = fresh_code()

    info = settle(shop, world.make_person(center_app), [line(drug, codes=[code, code])])

    assert envelope.extension(info["exp_content"])["duplicates"] == [{"code": code, "line": "1"}]


def test_eight_at_once_empty_an_account_and_never_overdraw_it(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=7000, prior_fen=1500)
    bodies = [shop.compose("2102", purchase(person, [line(drug, "20.00", rx="")])) for _ in range(8)]

    answers = at_once(center_app, [sender(center_app, shop, "2102", body) for body in bodies])

    paid = [shares(envelope.parse_answer(response.data)) for response in answers]
    assert sum(own for _, own, _, _ in paid) == 8500
    assert sum(own + cash for _, own, _, cash in paid) == 8 * 2000
    assert state(owner_sql, person)[:2] == (0, 0)
    [(entries,)] = owner_sql("select sum(amount_fen) from account_entry where psn_no = %s", person.psn_no)
    assert entries == 0


def test_counters_of_one_person_add_up_under_eight_tills(center_app, drug, owner_sql, policies):
    person = world.make_person(center_app)
    shops = [world.make_shop(center_app) for _ in range(8)]
    jobs = [
        sender(center_app, place, "2102", place.compose("2102", purchase(person, [line(drug, "100.00")])))
        for place in shops
    ]

    answers = at_once(center_app, jobs)

    paid = [shares(envelope.parse_answer(response.data)) for response in answers]
    assert sum(fund for fund, *_ in paid) == 16000
    assert state(owner_sql, person)[3:] == (60000, 16000)


@pytest.mark.parametrize("turn", range(6))
def test_2601_against_its_2102(center_app, shop, drug, owner_sql, turn):
    person, msgid = world.make_person(center_app, current_fen=5000), shop.msgid()
    before = state(owner_sql, person)
    body = shop.compose("2102", purchase(person, [line(drug, "30.00")]), msgid)
    back = shop.compose("2601", {"data": {"psn_no": person.psn_no, "omsgid": msgid, "oinfno": "2102"}})

    _, taken = at_once(center_app, [sender(center_app, shop, "2102", body), sender(center_app, shop, "2601", back)])

    assert envelope.parse_answer(taken.data).accepted
    assert state(owner_sql, person) == before
    late = envelope.parse_answer(shop.send("2102", body).data)
    assert late.code in {"REVERSED_BEFORE_ARRIVAL", "MESSAGE_REVERSED"}
    assert state(owner_sql, person) == before


def test_one_settlement_is_reversed_once_by_eight(center_app, shop, drug, owner_sql):
    person = world.make_person(center_app, current_fen=5000)
    before = state(owner_sql, person)
    info = settle(shop, person, [line(drug, "30.00")])
    data = {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": person.psn_no}}
    jobs = [sender(center_app, shop, "2103", shop.compose("2103", data)) for _ in range(8)]

    answers = [envelope.parse_answer(response.data) for response in at_once(center_app, jobs)]

    assert sorted(answer.code for answer in answers) == ["", *["ALREADY_REVERSED"] * 7]
    assert state(owner_sql, person) == before


def test_one_token_pays_once_among_eight(center_app, shop, drug, owner_sql):
    from tests.center.interface.test_people import exchange, issue

    person = world.make_person(center_app)
    token = exchange(shop, issue(center_app, person)).output["OutData"]["ecToken"]
    bodies = [shop.compose("2102", purchase(person, [line(drug)], cert=("01", token))) for _ in range(8)]

    answers = [
        envelope.parse_answer(r.data)
        for r in at_once(center_app, [sender(center_app, shop, "2102", b) for b in bodies])
    ]

    assert sorted(answer.code for answer in answers) == ["", *["ECERT_NOT_USABLE"] * 7]


def test_a_locked_person_is_no_refusal_but_an_unknown_outcome(center_app, shop, drug, database_urls, owner_sql):
    person = world.make_person(center_app, current_fen=100)
    body = shop.compose("2102", purchase(person, [line(drug)]))
    with psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection:
        connection.execute("select 1 from account where psn_no = %s for update", (person.psn_no,))
        busy = shop.send("2102", body)

    assert busy.status_code == 503
    assert envelope.parse_answer(shop.send("2102", body).data).accepted
    assert owner_sql("select count(*) from settlement where psn_no = %s", person.psn_no) == [(1,)]


def test_a_code_is_free_again_after_a_cancel_and_the_next_sale_holds_it(center_app, shop, drug, policies):
    other, code, person = world.make_shop(center_app), fresh_code(), world.make_person(center_app)
    info = settle(shop, person, [line(drug, codes=[code])])
    cancel(shop, person, info)

    again = settle(other, world.make_person(center_app), [line(drug, codes=[code])])

    assert envelope.extension(again["exp_content"])["duplicates"] == []
