"""Kill the process of a wing at every step of a bill, from the preview to giving a line back; start it again; both sides agree."""

import json
from uuid import uuid4

import httpx
import pytest

from app.core import tenancy
from tests.factories.billing import insured_visit
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.clinic import make_clinic, sheet
from tests.factories.people import PASSWORD
from tests.factories.shop import check_books, desk_of, on_hand, one, open_shift
from tests.faults.conftest import eventually
from tests.faults.tills import Till

PREVIEW = ("bill.described", "bill.uploading", "bill.uploaded", "bill.previewed")
SETTLE = {
    "bill.reserving": "facility", "ask.sending": "facility", "center.read": "center", "center.written": "center", "center.answering": "center",
    "ask.answered": "facility", "bill.confirming": "facility", "bill.confirmed": "facility",
}  # fmt: skip
REFUND = ("bill_refund.trying", "bill_refund.uploaded", "bill_refund.reserved", "bill_refund.confirming", "bill_refund.confirmed")  # fmt: skip

pytestmark = pytest.mark.faults


@pytest.fixture
def world(facility_app, center_app):
    """A clinic whose cashier's till is open, and an insured visit with two packs at 12.50 to be paid."""
    clinic = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
        open_shift(desk_of(clinic))
        goods = make_covered_goods(center_app, clinic)
        person = make_insured(center_app)
        visit, sheets = insured_visit(clinic, person, sheet("WESTERN", (goods.product_id, 48)))
        yield clinic, goods, person, visit, sheets


def open_attempts(clinic):
    return one(clinic, "select count(*) as n from insurance_attempt where tenant_id = %(t)s and state in ('asked', 'recovering')").n  # fmt: skip


def bill_of(clinic):
    return one(clinic, "select id, state, version, preview, setl_id, rest_setl_id from bill where tenant_id = %(t)s")


def press(wings, clinic, path, **form):
    """Press a button of the cashier's; the answer may be lost with the process."""
    try:
        return Till(wings, clinic).post(f"/clinic/charging/{path}", **form)
    except httpx.TransportError:
        return None


def open_bill(wings, clinic, visit, sheets):
    told = {"document": str(uuid4()), "sheet": str(sheets[0]), "paid": "insured"}
    return press(wings, clinic, f"visits/{visit}/bills", **told)


def settle(wings, clinic):
    bill = bill_of(clinic)
    cash = [{"kind": "cash", "amount": bill.preview["cash_fen"]}] if bill.preview["cash_fen"] else []
    return press(wings, clinic, f"bills/{bill.id}/settlement", version=bill.version, tenders=json.dumps(cash))


def pressed_again(wings, clinic, form):
    """A cashier who hears that the center is slow presses again; whether the refund stands."""
    press(wings, clinic, f"bills/{bill_of(clinic).id}/refunds", **form)
    return one(clinic, "select count(*) as n from bill_refund where tenant_id = %(t)s and state = 'refunded'").n == 1


def started_again(wings, clinic):
    wings.stop()
    wings.center.start()
    wings.facility.start()
    wings.recovery.start()
    eventually(lambda: open_attempts(clinic) == 0)


def paid_at_center(center_app, person):
    asked = "select coalesce(sum(total_fen), 0)::bigint as fen from settlement where psn_no = %(p)s"
    return at_center(center_app, asked, p=person.psn_no)[0].fen


def check_settled(clinic, goods, person, center_app):
    assert bill_of(clinic).state == "settled"
    assert paid_at_center(center_app, person) == 2500
    assert on_hand(clinic, goods) == (240, 48)
    assert one(clinic, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s").fen == 2500
    assert one(clinic, "select count(*) as n from outbox where tenant_id = %(t)s and kind = 'bill.settled'").n == 1
    check_books(clinic)


@pytest.mark.parametrize("point", PREVIEW)
def test_a_kill_while_a_visit_is_uploaded_and_split_is_asked_again(wings, world, center_app, point):
    clinic, goods, person, visit, sheets = world
    wings.center.start()
    wings.facility.start(f"{point}:kill")
    open_bill(wings, clinic, visit, sheets)
    wings.facility.wait_killed()

    started_again(wings, clinic)
    assert (bill_of(clinic).state, on_hand(clinic, goods)) == ("open", (240, 0))
    press(wings, clinic, f"bills/{bill_of(clinic).id}/preview")
    settle(wings, clinic)
    check_settled(clinic, goods, person, center_app)


@pytest.mark.parametrize("point", SETTLE)
def test_a_kill_while_a_bill_is_settled_charges_the_patient_once(wings, world, center_app, point):
    clinic, goods, person, visit, sheets = world
    wings.center.start()
    wings.facility.start()
    open_bill(wings, clinic, visit, sheets)
    wing = wings.center if SETTLE[point] == "center" else wings.facility
    wing.stop()
    wing.start(f"{point}:kill")
    settle(wings, clinic)
    wing.wait_killed()

    started_again(wings, clinic)
    if point == "bill.reserving":
        assert (bill_of(clinic).state, paid_at_center(center_app, person)) == ("open", 0)
        settle(wings, clinic)
    check_settled(clinic, goods, person, center_app)


@pytest.mark.parametrize("point", REFUND)
def test_a_kill_while_a_line_goes_back_ends_refunded_once(wings, world, center_app, point):
    clinic, goods, person, visit, sheets = world
    wings.center.start()
    wings.facility.start()
    open_bill(wings, clinic, visit, sheets)
    settle(wings, clinic)
    wings.facility.stop()
    wings.facility.start(f"{point}:kill")
    form = {"document": str(uuid4()), "quantity-1": "1", "reason": "not_dispensed", "approver": "001", "approver_password": PASSWORD}  # fmt: skip
    press(wings, clinic, f"bills/{bill_of(clinic).id}/refunds", **form)
    wings.facility.wait_killed()

    started_again(wings, clinic)
    eventually(lambda: pressed_again(wings, clinic, form))
    assert paid_at_center(center_app, person) == 1250
    assert bill_of(clinic).rest_setl_id
    assert one(clinic, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s").fen == 1250
    assert on_hand(clinic, goods) == (240, 24)
    check_books(clinic)
