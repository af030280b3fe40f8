"""1101, 6101, 9001, 9002 through the door."""

import psycopg
import pytest

from app.center.registry.actions import issue_ecert
from app.core import clock
from app.national import envelope
from tests.center import world
from tests.center.world import line, purchase


def identify(shop, kind, number, **more):
    return shop.ask("1101", {"data": {"mdtrt_cert_type": kind, "mdtrt_cert_no": number, "card_sn": "-", **more}})


def test_a_person_is_found_by_citizen_id_and_by_card(center_app, shop):
    person = world.make_person(center_app, current_fen=1200, prior_fen=34, mutual_fen=5, deductible_fen=100)

    for kind, number in (("02", person.certno.lower()), ("03", person.card)):
        answer = identify(shop, kind, number, certno="-", psn_name="-")
        assert answer.accepted, answer.message
        base, [cover] = answer.output["baseinfo"], answer.output["insuinfo"]
        assert (base["psn_no"], base["certno"], base["gend"], base["brdy"]) == (
            person.psn_no,
            person.certno,
            "1",
            "1980-01-01",
        )
        assert (cover["balc"], cover["psn_insu_stas"], cover["insutype"]) == ("12.34", "1", "310")
    extra = envelope.extension(base["exp_content"])
    assert extra["counters"] == {
        "deductible_used": "1.00",
        "deductible": "600.00",
        "fund_used": "0.00",
        "cap": "15000.00",
    }
    assert (extra["crtYearBalc"], extra["calYearBalc"], extra["mutual_balance"]) == ("12.00", "0.34", "0.05")
    assert extra["identity"]["band"] == "pass"
    assert not next(s for s in extra["identity"]["signals"] if s["code"] == "unusual_hour")["known"]


def test_a_typed_number_and_a_watched_person_raise_the_score(center_app, shop):
    person = world.make_person(center_app, watched=True)

    answer = identify(shop, "02", person.certno, exp_content='{"credential":"typed"}')

    identity = envelope.extension(answer.output["baseinfo"]["exp_content"])["identity"]
    assert (identity["score"], identity["band"]) == (40, "ask")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": "lost"}, "CARD_LOST"),
        ({"status": "frozen"}, "PERSON_FROZEN"),
        ({"status": "deceased"}, "PERSON_DECEASED"),
    ],
)
def test_status_refuses(center_app, shop, facts, code):
    person = world.make_person(center_app, **facts)

    assert identify(shop, "02", person.certno).code == code


def test_arrears_say_account_only(center_app, shop):
    person = world.make_person(
        center_app, coverage_status="arrears", entitlements=(("chronic", "M03900"), ("low_income", ""))
    )

    answer = identify(shop, "02", person.certno)

    extra = envelope.extension(answer.output["baseinfo"]["exp_content"])
    assert extra["account_only"]
    assert extra["entitlements"] == ["门慢门特 M03900", "低收入救助对象"]
    assert answer.output["insuinfo"][0]["psn_insu_stas"] == "2"
    assert answer.output["idetinfo"][0]["psn_idet_type"] == "2305"


def test_strangers_and_mismatches(center_app, shop):
    person, other = world.make_person(center_app), world.make_person(center_app)

    assert identify(shop, "02", world.some_certno()).code == "UNKNOWN_PERSON"
    assert identify(shop, "03", "nothing").code == "UNKNOWN_PERSON"
    assert identify(shop, "02", person.certno, certno=other.certno).code == "CREDENTIAL_MISMATCH"
    assert identify(shop, "01", "330212ecmec").code == "ECERT_NOT_USABLE"
    assert identify(shop, "09", "1").code == "FIELDS_WRONG"


def exchange(shop, code):
    data = {
        "orgId": shop.code,
        "businessType": "02121",
        "businessInfo": code,
        "operatorId": "007",
        "operatorName": "李敏",
        "officeId": "01",
        "officeName": "收银",
    }
    return shop.ask("6101", {"InData": data})


def issue(app, person, **options):
    with app.app_context(), world.tenancy.acting_as(district="33"):
        return issue_ecert(person.psn_no, "330212", **options)[0]


def test_an_ecert_is_exchanged_once_and_its_token_pays_once(center_app, shop, drug, policies):
    person, elsewhere = world.make_person(center_app), world.make_shop(center_app)
    code = issue(center_app, person)
    assert len(code) == 28

    exchanged = exchange(shop, code)
    token = exchanged.output["OutData"]["ecToken"]
    basket = [line(drug, "10.00")]

    assert (len(token), token[:11]) == (39, "330212ecmec")
    assert exchanged.output["OutData"]["idNo"] == person.certno
    assert exchange(shop, code).code == "ECERT_NOT_USABLE"
    assert identify(elsewhere, "01", token).code == "ECERT_NOT_USABLE"
    assert elsewhere.ask("2102", purchase(person, basket, cert=("01", token))).code == "ECERT_NOT_USABLE"
    assert identify(shop, "01", token).output["baseinfo"]["psn_no"] == person.psn_no
    assert shop.ask("2101", purchase(person, basket, cert=("01", token))).accepted
    assert (
        shop.ask("2102", purchase(world.make_person(center_app), basket, cert=("01", token))).code
        == "CREDENTIAL_MISMATCH"
    )
    settled = shop.compose("2102", purchase(person, basket, cert=("01", token)))
    first = shop.send("2102", settled)
    assert envelope.parse_answer(first.data).accepted
    assert shop.send("2102", settled).data == first.data
    assert shop.ask("2102", purchase(person, basket, cert=("01", token))).code == "ECERT_NOT_USABLE"


def test_codes_and_tokens_grow_old(center_app, shop, drug, database_urls):
    person = world.make_person(center_app)
    old = issue(center_app, person, seconds=-1)
    token = exchange(shop, issue(center_app, person)).output["OutData"]["ecToken"]
    with psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection:
        connection.execute(
            "update ecert_token set expires_at = now() - interval '1 second' where psn_no = %s", (person.psn_no,)
        )

    assert exchange(shop, old).code == "ECERT_NOT_USABLE"
    assert exchange(shop, "69" * 14).code == "ECERT_NOT_USABLE"
    assert exchange(shop, "not a code").code == "ECERT_NOT_USABLE"
    assert identify(shop, "01", token).code == "ECERT_NOT_USABLE"
    assert shop.ask("2102", purchase(person, [line(drug)], cert=("01", token))).code == "ECERT_NOT_USABLE"


def test_neither_code_nor_token_nor_numbers_are_stored_plainly(center_app, shop, owner_sql):
    person = world.make_person(center_app)
    code = issue(center_app, person)
    token = exchange(shop, code).output["OutData"]["ecToken"]

    for table in ("person", "ecert_code", "ecert_token"):
        rows = str(owner_sql(f"select to_jsonb(t) from {table} t where psn_no = %s", person.psn_no))
        for secret in (person.certno, person.card, code, token):
            assert secret not in rows
            assert secret.encode().hex() not in rows


def test_an_operators_day(shop):
    def on():
        return shop.ask("9001", {"signIn": {"opter_no": "007", "mac": "-", "ip": "-"}})

    def off(number):
        return shop.ask("9002", {"signOut": {"sign_no": number, "opter_no": "007"}})

    first = on().output["signinoutb"]
    assert on().output["signinoutb"] == first
    assert first["sign_time"][:10] == str(clock.business_date())
    assert off("nothing").code == "SIGN_ON_MISSING"
    assert off(first["sign_no"]).accepted
    assert off(first["sign_no"]).code == "SIGN_ON_MISSING"
