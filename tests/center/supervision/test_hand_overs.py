"""A pack that a clinic handed to a patient has been sold: what happens to it afterwards is held against that."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.center.supervision.world import (
    PACK,
    alerts_of,
    dispensed,
    moved,
    new_code,
    received,
    refunded,
    sold,
    taken_back,
)


def claims_of(owner, code):
    with owner.connect() as connection:
        found = connection.execute(
            text(
                "select holds, duplicate, released_at is not null as free from code_claim where code = :c order by id"
            ),
            {"c": code},
        )
        return [tuple(row) for row in found]


def test_a_pack_handed_over_at_a_clinic_and_sold_elsewhere_alerts_both(center_owner, new_institution):
    clinic, shop, code = new_institution("330212", "二号诊所"), new_institution("330203", "九号药店"), new_code()
    clinic.tell(received(clinic.moment(), code), dispensed(clinic.moment(), code))
    assert alerts_of(center_owner, code) == []

    shop.tell(sold(shop.moment(60), code))

    alerts = alerts_of(center_owner, code)
    assert sorted((alert.kind, alert.district) for alert in alerts) == [
        ("trace.duplicate", "330203"),
        ("trace.duplicate", "330212"),
    ]
    assert (alerts[0].facts["first"]["name"], alerts[0].facts["second"]["name"]) == ("二号诊所", "九号药店")
    assert claims_of(center_owner, code) == [(True, False, False), (False, True, False)]


def test_a_pack_handed_over_twice_or_after_it_was_sold_alerts(center_owner, new_institution):
    clinic, shop = new_institution(), new_institution()
    twice, sold_before = new_code(), new_code()

    clinic.tell(dispensed(clinic.moment(), twice), dispensed(clinic.moment(), twice))
    shop.tell(sold(shop.moment(), sold_before, insured=True))
    clinic.tell(dispensed(clinic.moment(90), sold_before))

    assert [alert.kind for code in (twice, sold_before) for alert in alerts_of(center_owner, code)] == [
        "trace.duplicate"
    ] * 2


@pytest.mark.parametrize("at_once", [True, False])
def test_a_pack_that_came_back_may_go_again(center_owner, new_institution, at_once):
    clinic, shop, code = new_institution(), new_institution(), new_code()
    given = dispensed(clinic.moment(), code)
    told = [given, taken_back(clinic.moment(), given, code), dispensed(clinic.moment(), code)]

    for facts in [told] if at_once else [[fact] for fact in told]:
        clinic.tell(*facts)

    assert alerts_of(center_owner, code) == []
    assert claims_of(center_owner, code) == [(True, False, True), (True, False, False)]
    shop.tell(sold(shop.moment(90), code))
    assert len(alerts_of(center_owner, code)) == 1


def test_a_return_told_late_clears_the_alert(center_owner, new_institution):
    clinic, shop, code = new_institution(), new_institution(), new_code()
    given = dispensed(clinic.moment(), code)
    back = taken_back(clinic.moment(), given, code)
    clinic.tell(given)
    shop.tell(sold(shop.moment(90), code))

    clinic.tell(back)

    assert [alert.cleared for alert in alerts_of(center_owner, code)] == [True]


def test_units_of_one_pack_go_to_several_patients_and_no_more_than_it_holds(center_owner, new_institution):
    clinic, one, two = new_institution(), new_code(), new_code()
    # The rest of one pack and a part of the next: how much of each is told.
    clinic.tell(
        dispensed(clinic.moment(), one, split=True, quantity=5),
        dispensed(clinic.moment(), one, two, split=True, quantity=6, units=[2, 4]),
    )
    assert [alerts_of(center_owner, code) for code in (one, two)] == [[], []]

    clinic.tell(dispensed(clinic.moment(), two, split=True, quantity=PACK))

    assert [alert.kind for alert in alerts_of(center_owner, two)] == ["trace.oversplit"]


def test_units_that_do_not_fit_the_codes_set_the_stream_aside(center_owner, new_institution):
    clinic, code = new_institution(), new_code()

    clinic.tell(dispensed(clinic.moment(), code, split=True, quantity=3, units=[1, 2]))

    with center_owner.connect() as connection:
        why = connection.scalar(
            text("select set_aside_reason from inbox_stream where stream = :s"), {"s": clinic.stream}
        )
    assert "对不上" in why


def test_what_only_moves_in_the_house_accuses_nobody(center_owner, new_institution):
    clinic, code = new_institution(), new_code()
    clinic.tell(
        moved(clinic.moment(), "hold", "QH", code, from_zone="SALEABLE", to_zone="QUARANTINE"),
        moved(clinic.moment(), "release", "QR", code, from_zone="QUARANTINE", to_zone="SALEABLE"),
        dispensed(clinic.moment(), code),
    )

    assert alerts_of(center_owner, code) == []


def test_a_pack_sold_on_an_outflow_prescription_is_one_sale(center_owner, new_institution):
    shop, code = new_institution(), new_code()
    sale = sold(shop.moment(), code)
    sale[1]["lines"][0]["prescribed"] = {"prescription": "E26112200001", "line": 1}

    shop.tell(received(shop.moment(-5), code), sale)
    assert alerts_of(center_owner, code) == []

    shop.tell(refunded(shop.moment(), sale, code), sold(shop.moment(), code))
    assert alerts_of(center_owner, code) == []
