"""Real threads on a real database: guesses at once, and two owners who shut each other out."""

from __future__ import annotations

import threading

from app.core import passwords
from app.core.errors import Refusal
from app.facility.organizations import actions, queries
from app.facility.organizations.errors import LastOwner
from tests.factories import people


def at_once(*works):
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(turn, work):
        gate.wait()
        try:
            results[turn] = work()
        except Refusal as refusal:
            results[turn] = type(refusal)

    threads = [threading.Thread(target=run, args=(turn, work)) for turn, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_twelve_guesses_at_once_are_five_guesses(facility_app, monkeypatch):
    shop = people.make_pharmacy(facility_app, on_duty=False)
    looked, real = [], passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda stored, typed: looked.append(typed) or real(stored, typed))

    def guess(word):
        client = facility_app.test_client()
        form = {"csrf_token": people.form_token(client, "/signin"), "code": shop.code, "name": "002", "password": word}
        return lambda: client.post("/signin", data=form).status_code

    answers = at_once(*(guess(f"guess number {turn}") for turn in range(12)))

    assert sorted(answers) == [422] * 5 + [429] * 7
    assert len(looked) == 5


def test_two_owners_cannot_shut_each_other_out(facility_app):
    for _ in range(5):
        shop = people.make_pharmacy(facility_app, on_duty=False)
        other = people.add_person(facility_app, shop, "owner")

        def disable(staff_id, by, shop=shop):
            def work():
                with facility_app.app_context(), shop.acting():
                    actions.disable_staff(staff_id, by)

            return work

        results = at_once(disable(other, shop.owner), disable(shop.owner, other))

        assert sorted(results, key=str) == sorted([None, LastOwner], key=str)
        with facility_app.app_context(), shop.acting():
            left = [queries.get_staff(each).disabled_at for each in (shop.owner, other)]
        assert left.count(None) == 1
