"""How long one stays signed in: idle hours, a week, a copied cookie, a new password."""

from __future__ import annotations

from app.core import signin
from app.core.hot import statements
from tests.core.conftest import is_in, later
from tests.factories import people


def test_twelve_idle_hours_end_a_session_and_work_prolongs_it(client, pharmacy):
    people.sign_in(client, pharmacy, pharmacy.clerk)

    with later(hours=11):
        assert is_in(client)
    with later(hours=22):
        assert is_in(client)
    with later(hours=35):
        assert not is_in(client)
        assert "长时间没有操作" in client.get("/signin").get_data(as_text=True)


def test_a_page_that_asks_by_itself_is_not_work(client, pharmacy):
    people.sign_in(client, pharmacy, pharmacy.clerk)

    with later(hours=11):
        assert client.get("/account", headers={signin.POLL_HEADER: "1"}).status_code == 200
    with later(hours=13):
        assert not is_in(client)


def test_a_week_ends_every_session(client, pharmacy):
    people.sign_in(client, pharmacy, pharmacy.clerk)

    for hours in range(11, 24 * 7, 11):
        with later(hours=hours):
            assert is_in(client)
    with later(days=7, hours=1):
        assert not is_in(client)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(client, facility_app, pharmacy):
    people.sign_in(client, pharmacy, pharmacy.clerk)
    copied = client.get_cookie("sunmed_facility").value

    people.post(client, "/signout")

    thief = facility_app.test_client()
    thief.set_cookie("sunmed_facility", copied)
    assert not is_in(thief)


def test_signing_out_here_leaves_the_other_browser_in(client, facility_app, pharmacy):
    other = facility_app.test_client()
    people.sign_in(client, pharmacy, pharmacy.clerk)
    people.sign_in(other, pharmacy, pharmacy.clerk)

    people.post(client, "/signout")

    assert is_in(other)


def test_an_altered_cookie_is_nobody(client, pharmacy):
    people.sign_in(client, pharmacy, pharmacy.clerk)
    cookie = client.get_cookie("sunmed_facility").value

    client.set_cookie("sunmed_facility", "x" + cookie[1:])

    assert not is_in(client)


def test_changing_the_password_ends_other_sessions_and_keeps_this_one(client, facility_app, pharmacy, somebody):
    other = facility_app.test_client()
    people.sign_in(client, pharmacy, somebody)
    people.sign_in(other, pharmacy, somebody)

    form = {"present": people.PASSWORD, "chosen": "brand new 78", "again": "brand new 78"}
    assert people.post(client, "/account/password", form).status_code == 303

    assert is_in(client)
    assert not is_in(other)


def test_guessing_the_present_password_locks_too(client, pharmacy, somebody):
    people.sign_in(client, pharmacy, somebody)
    form = {"present": "guess guess 1", "chosen": "brand new 78", "again": "brand new 78"}

    answers = [people.post(client, "/account/password", form).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_a_burst_of_requests_asks_the_database_once(client, pharmacy):
    people.sign_in(client, pharmacy, pharmacy.clerk)
    client.get("/account")

    with statements() as ran:
        for _ in range(5):
            assert is_in(client)

    assert len([each for each in ran if "session_version = %(version)s" in each]) <= 1


def test_scripts_get_an_answer_they_understand(client):
    page = client.get("/account", headers={"HX-Request": "true"})
    data = client.get("/account", headers={"Accept": "application/json"})

    assert (page.status_code, page.headers["HX-Redirect"]) == (401, "/signin")
    assert (data.status_code, data.json["code"]) == (401, "signed_out")


def test_language_goes_back_to_our_own_pages_only(client):
    assert (
        client.get("/language/en", headers={"Referer": "http://localhost/signin"}).location == "http://localhost/signin"
    )
    assert client.get("/language/en", headers={"Referer": "http://evil.example/"}).location == "/signin"
    assert client.get("/language/xx").status_code == 404
