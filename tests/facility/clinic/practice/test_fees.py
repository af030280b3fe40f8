"""What a visit costs holds from a day on: what was said stays, the last word of a day counts, a doctor's own comes first."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.core import clock, tenancy
from app.core.errors import NotFound, WrongInput
from app.core.hot import statements
from app.facility.clinic.desk import queries as desks
from app.facility.clinic.practice import fees
from app.facility.clinic.practice.fees import Payee
from app.facility.db import transaction
from tests.factories.clinic import make_clinic, make_service, make_visit
from tests.factories.people import post, sign_in
from tests.factories.shop import desk_of


@pytest.fixture
def owner(clinic):
    return desk_of(clinic, clinic.owner)


@pytest.fixture
def services(clinic):
    """By code: A and B."""
    return {code: make_service(clinic, code=code, pack_price=Decimal(20 + n)) for n, code in enumerate("AB")}


@pytest.fixture
def today():
    return clock.business_date()


def costs(clinic, visit):
    """What a visit costs, as reception says and the desk begins with."""
    fee = fees.fee_of(clinic.facility_id, visit)
    assert desks.get_visit(clinic.facility_id, visit).visit_service_id == fee
    return fee


def test_a_fee_holds_from_its_day_on_and_what_was_before_stays(clinic, owner, services, today):
    ours, later = Payee(department=clinic.department), today + timedelta(days=5)
    assert costs(clinic, make_visit(clinic)) is None
    for _turn in range(2):  # The same again changes nothing.
        fees.set_fee(owner, ours, "A", today)
    fees.set_fee(owner, ours, "B", later)
    now = make_visit(clinic)
    booked = make_visit(clinic, begun=False, booked_for=later, period="am")
    day_before = make_visit(clinic, begun=False, booked_for=later - timedelta(days=1), period="am")

    assert [costs(clinic, one) for one in (now, day_before, booked)] == [services["A"], services["A"], services["B"]]
    [standing], [coming] = fees.list_fees(clinic.facility_id), fees.list_coming(clinic.facility_id)
    assert (standing.code, coming.code, coming.effective_from) == ("A", "B", later)
    fees.set_fee(owner, ours, "A", later)  # Of one day the last word counts.
    assert costs(clinic, booked) == services["A"]
    assert [one.code for one in fees.list_coming(clinic.facility_id)] == ["A"]
    fees.set_fee(owner, ours, "", today)
    assert (costs(clinic, now), costs(clinic, booked), fees.list_fees(clinic.facility_id)) == (None, services["A"], [])
    said = fees.list_said(clinic.facility_id)
    assert [(one.code, one.effective_from) for one in said] == [(None, today), ("A", later), ("B", later), ("A", today)]
    assert fees.list_said(clinic.facility_id, said[2].id)[0].id == said[3].id
    assert said[0].set_by is not None


def test_a_doctor_s_own_comes_first_and_an_emergency_s_own_before_that(clinic, owner, services, today):
    department, doctor = Payee(department=clinic.department), Payee(doctor=clinic.doctor)
    ordinary, urgent = make_visit(clinic), make_visit(clinic, kind="emergency")
    somebody = make_visit(clinic, begun=False, doctor_id=None)

    fees.set_fee(owner, department, "A", today)
    assert [costs(clinic, one) for one in (ordinary, urgent, somebody)] == [services["A"]] * 3
    fees.set_fee(owner, doctor, "B", today)
    assert [costs(clinic, one) for one in (ordinary, urgent, somebody)] == [services["B"], services["B"], services["A"]]
    fees.set_fee(owner, department, "A", today, emergency=True)
    assert [costs(clinic, one) for one in (ordinary, urgent)] == [services["B"], services["A"]]
    fees.set_fee(owner, doctor, "B", today, emergency=True)
    assert costs(clinic, urgent) == services["B"]
    fees.set_fee(owner, doctor, "", today)
    assert [costs(clinic, one) for one in (ordinary, urgent)] == [services["A"], services["B"]]
    with transaction(settings=clinic.scope) as hot:
        hot.run_last("update product set state = 'stopped' where tenant_id = %(t)s and id = %(p)s", {"t": clinic.tenant_id, "p": services["A"]})  # fmt: skip
    assert desks.get_visit(clinic.facility_id, ordinary).visit_service_id is None


def test_a_fee_is_a_service_of_one_s_own_from_today_on(facility_app, clinic, owner, services, today):
    for payee, code, first, refused in (
        (Payee(department=clinic.department), "NONE", today, WrongInput), (Payee(department=clinic.department), "A", today - timedelta(days=1), WrongInput),
        (Payee(department=10**9), "A", today, NotFound), (Payee(doctor=clinic.clerk), "A", today, NotFound), (Payee(), "A", today, NotFound),
    ):  # fmt: skip
        with pytest.raises(refused):
            fees.set_fee(owner, payee, code, first)
    stranger = make_clinic(facility_app)
    with tenancy.as_tenant(stranger.tenant_id):
        make_service(stranger, code="A")
        for payee in (Payee(department=clinic.department), Payee(doctor=clinic.doctor)):
            with pytest.raises(NotFound):
                fees.set_fee(desk_of(stranger, stranger.owner), payee, "A", today)
    assert fees.list_said(clinic.facility_id) == []


def test_the_page_says_what_holds_what_comes_and_what_was_said(facility_app, clinic, owner, services, today):
    client = facility_app.test_client()
    sign_in(client, clinic, clinic.owner)
    counts = []
    client.get("/clinic/fees")  # The first page of a session looks at more.
    for some in (["A"], ["B", "A", ""] * 18):
        for n, code in enumerate(some):
            fees.set_fee(owner, Payee(department=clinic.department), code, today + timedelta(days=n))
        with statements() as ran:
            page = client.get("/clinic/fees").get_data(as_text=True)
        counts.append(len(ran))
    assert counts[0] == counts[1]
    assert "更早的" in page
    oldest = client.get("/clinic/fees", query_string={"before": fees.list_said(clinic.facility_id)[fees.PAGE - 1].id})
    assert "更早的" not in oldest.get_data(as_text=True)
    told = {"payee": f"d{clinic.department}", "service": "A", "first": (today + timedelta(days=200)).isoformat()}
    assert post(client, "/clinic/fees", told).status_code == 303
    for wrong in ({"first": ""}, {"first": "morgen"}, {"service": "x" * 60}):
        assert post(client, "/clinic/fees", told | wrong).status_code == 422
    for before in ("x", "9" * 40, "-1"):
        assert client.get("/clinic/fees", query_string={"before": before}).status_code == 200
