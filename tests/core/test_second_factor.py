"""The second factor (动态码): asked, good once, guessed five times at most."""

from __future__ import annotations

from app.core import clock, totp
from tests.core.conftest import add_newcomer, is_in, knock, later, number_of
from tests.factories import people


def take_second_factor(client):
    """Set it up as a person would, from the page; returns the secret."""
    page = client.get("/account/second-factor").get_data(as_text=True)
    secret = page.partition('secret">')[2].partition("</code>")[0].replace(" ", "")
    answer = people.post(client, "/account/second-factor", {"code": totp.code_at(secret, clock.now())})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return secret


def test_the_second_factor_is_asked_and_each_code_is_good_once(client, facility_app, pharmacy, somebody):
    number = number_of(facility_app, pharmacy, somebody)
    people.sign_in(client, pharmacy, somebody)
    secret = take_second_factor(client)
    assert is_in(client)
    people.post(client, "/signout")

    with later(minutes=2):
        code = totp.code_at(secret, clock.now())
        assert knock(client, pharmacy.code, number, people.PASSWORD).location == "/signin/second"
        assert client.get("/account").location == "/signin/second"
        token = people.form_token(client, "/signin/second")
        assert client.post("/signin/second", data={"csrf_token": token, "code": "000000"}).status_code == 422
        assert client.post("/signin/second", data={"csrf_token": token, "code": code}).status_code == 303
        assert is_in(client)
        people.post(client, "/signout")
        knock(client, pharmacy.code, number, people.PASSWORD)
        token = people.form_token(client, "/signin/second")
        again = client.post("/signin/second", data={"csrf_token": token, "code": code})
        assert again.status_code == 422
        assert "已用过" in again.get_data(as_text=True)
        assert not is_in(client)


def test_codes_are_guessed_five_times_at_most(client, facility_app, pharmacy, somebody):
    number = number_of(facility_app, pharmacy, somebody)
    people.sign_in(client, pharmacy, somebody)
    take_second_factor(client)
    people.post(client, "/signout")
    knock(client, pharmacy.code, number, people.PASSWORD)
    token = people.form_token(client, "/signin/second")

    answers = [
        client.post("/signin/second", data={"csrf_token": token, "code": "000000"}).status_code for _ in range(6)
    ]

    assert 429 in answers
    assert knock(facility_app.test_client(), pharmacy.code, number, people.PASSWORD).status_code == 429


def test_a_half_open_door_closes_after_ten_minutes(client, facility_app, pharmacy):
    number, added = add_newcomer(facility_app, pharmacy)
    knock(client, pharmacy.code, number, added.password)

    with later(minutes=11):
        assert client.get("/signin/change").location == "/signin"


def test_the_offered_secret_stands_in_no_cookie(client, pharmacy, somebody):
    people.sign_in(client, pharmacy, somebody)
    page = client.get("/account/second-factor").get_data(as_text=True)
    secret = page.partition('secret">')[2].partition("</code>")[0].replace(" ", "")

    with client.session_transaction() as kept:
        assert len(secret) == 32
        assert secret not in str(dict(kept))


def test_the_second_factor_ends_with_the_password(client, pharmacy, somebody):
    people.sign_in(client, pharmacy, somebody)
    take_second_factor(client)

    assert people.post(client, "/account/second-factor/end", {"password": "guess guess 1"}).status_code == 422
    assert people.post(client, "/account/second-factor/end", {"password": people.PASSWORD}).status_code == 303
    assert "启用动态码" in client.get("/account").get_data(as_text=True)
