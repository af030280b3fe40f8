"""Kill the process of a wing while a pharmacy takes a prescription on, sells on it or gives it back: it is sold once, and no lock stays."""

from uuid import uuid4

import httpx
import pytest

from app.core import tenancy
from app.facility.counter import baskets
from app.facility.db import db
from app.facility.till import prescriptions
from tests.factories.city import at_center, identify_at, make_covered_goods, make_insured, make_insured_pharmacy
from tests.factories.clinic import make_clinic, make_patient
from tests.factories.outflow import relaying, send_out
from tests.factories.shop import check_books, desk_of, fill_basket, on_hand, one, open_shift
from tests.faults.conftest import eventually
from tests.faults.tills import Till

TAKE = {"center.answering": "center", "outflow.locked": "facility"}
SELL = {
    "settle.reserving": "facility", "ask.sending": "facility", "center.written": "center", "ask.answered": "facility", "settle.confirming": "facility",
    "settle.confirmed": "facility",
}  # fmt: skip

pytestmark = pytest.mark.faults


@pytest.fixture
def world(facility_app, center_app):
    """A clinic's prescription of two packs that is out for an insured person, and a pharmacy of another tenant that carries the drug."""
    clinic, person = make_clinic(facility_app, center_app), make_insured(center_app)
    pharmacy = make_insured_pharmacy(facility_app, center_app)
    with facility_app.app_context():
        with tenancy.as_tenant(pharmacy.tenant_id):
            open_shift(desk_of(pharmacy))
            goods = make_covered_goods(center_app, pharmacy, rx_class="RX", pack_price="18.00")
            db.end_reading()
        national = one(pharmacy, "select national_code from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id)  # fmt: skip
        with tenancy.as_tenant(clinic.tenant_id):
            patient = make_patient(clinic, name=person.name, certno=person.certno)
            db.end_reading()
        _document, code = send_out(clinic, national.national_code, patient=patient)
        yield clinic, pharmacy, goods, person, code


def press(wings, pharmacy, path, **form):
    """Press a button at the pharmacy; the answer may be lost with the process."""
    try:
        return Till(wings, pharmacy).post(path, **form)
    except httpx.TransportError:
        return None


def take_on(wings, pharmacy, code):
    return press(wings, pharmacy, "/till/outflow/taking", document=str(uuid4()), code=code, line="1", packs="2")


def ours(pharmacy):
    return one(pharmacy, "select count(*) as n, min(id::text) as id, min(state) as state from prescription where tenant_id = %(t)s")  # fmt: skip


def at_the_center(center_app, clinic):
    [row] = at_center(
        center_app,
        """select state, lock_no, overrun, (select sum(dispensed)::int from eprescription_line l where l.prescription_id = p.id) as had
        from eprescription p where institution_code = %(c)s""",
        c=clinic.code,
    )
    return row


def begun_again(wings, *, recovery=False):
    wings.stop()
    wings.center.start()
    wings.facility.start()
    if recovery:
        wings.recovery.start()


def begun_with(wings, point, wing):
    wings.center.start(f"{point}:kill" if wing == "center" else "")
    wings.facility.start(f"{point}:kill" if wing == "facility" else "")


def put_into_a_basket(pharmacy, goods, person):
    """Reviewed by the pharmacist, put into a basket, its packs scanned, the card read."""
    prescription, basket = ours(pharmacy).id, uuid4()
    with tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        prescriptions.review_prescription(desk_of(pharmacy, pharmacy.pharmacist), prescription, "赵*师", passed=True)
        baskets.add_prescription(desk, basket, prescription)
        fill_basket(desk, *goods.codes[:2], basket_id=basket)
        identify_at(desk, basket, person)
        db.end_reading()
    return basket


def settle(wings, pharmacy, basket):
    version = one(pharmacy, "select version from basket where tenant_id = %(t)s and id = %(b)s", b=basket).version
    return press(wings, pharmacy, f"/counter/baskets/{basket}/settlement", version=version, tenders="[]")


def open_attempts(pharmacy):
    return one(pharmacy, "select count(*) as n from insurance_attempt where tenant_id = %(t)s and state in ('asked', 'recovering')").n  # fmt: skip


@pytest.mark.parametrize("point", TAKE)
def test_a_kill_while_it_is_taken_on_locks_it_once(wings, world, center_app, point):
    clinic, pharmacy, _goods, _person, code = world
    if TAKE[point] == "facility":
        begun_with(wings, point, "facility")
        take_on(wings, pharmacy, code)
        wings.facility.wait_killed()
        assert (at_the_center(center_app, clinic).state, ours(pharmacy).n) == ("LOCKED", 0)
    else:
        begun_with(wings, point, "center")
        take_on(wings, pharmacy, code)
        wings.center.wait_killed()

    begun_again(wings)
    assert take_on(wings, pharmacy, code).status_code == 303
    assert take_on(wings, pharmacy, code).status_code == 303
    assert ours(pharmacy).n == 1
    known = at_the_center(center_app, clinic)
    assert (known.state, known.lock_no) == ("LOCKED", 1)


@pytest.mark.parametrize("point", SELL)
def test_a_kill_while_it_is_sold_sells_it_once(wings, world, center_app, database_urls, point):
    clinic, pharmacy, goods, person, code = world
    begun_again(wings)
    take_on(wings, pharmacy, code)
    basket = put_into_a_basket(pharmacy, goods, person)
    wings.stop()
    begun_with(wings, point, SELL[point])
    settle(wings, pharmacy, basket)
    (wings.center if SELL[point] == "center" else wings.facility).wait_killed()

    begun_again(wings, recovery=True)
    eventually(lambda: open_attempts(pharmacy) == 0)
    if point == "settle.reserving":
        assert on_hand(pharmacy, goods) == (240, 0)
        settle(wings, pharmacy, basket)
    settle(wings, pharmacy, basket)
    assert on_hand(pharmacy, goods) == (192, 0)
    assert one(pharmacy, "select count(*) as n from sale where tenant_id = %(t)s and state = 'settled'").n == 1
    assert ours(pharmacy).state == "used"
    with relaying(database_urls) as carry:
        carry(pharmacy)
        carry(pharmacy, again=True)
    known = at_the_center(center_app, clinic)
    assert (known.state, known.had, known.overrun) == ("CLOSED", 48, False)
    assert take_on(wings, pharmacy, code).status_code in {409, 422}
    check_books(pharmacy)


def test_a_kill_while_it_is_given_back_leaves_no_lock(wings, world, center_app):
    clinic, pharmacy, _goods, _person, code = world
    begun_with(wings, "outflow.closing", "facility")
    take_on(wings, pharmacy, code)
    back = f"/till/outflow/{ours(pharmacy).id}/return"
    press(wings, pharmacy, back)
    wings.facility.wait_killed()
    assert (ours(pharmacy).state, at_the_center(center_app, clinic).state) == ("void", "LOCKED")

    begun_again(wings)
    press(wings, pharmacy, back)
    assert at_the_center(center_app, clinic).state == "REVIEWED"
    assert take_on(wings, pharmacy, code).status_code == 303
    assert at_the_center(center_app, clinic).lock_no == 2
