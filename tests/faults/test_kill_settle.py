"""Kill the process at every step of settle, refund and recovery; start it again; both sides must agree and nothing stay open."""

from uuid import uuid4

import httpx
import pytest

from app.core import tenancy
from app.facility.counter import refunds
from app.facility.counter.refund_plans import Back
from tests.factories.city import at_center, identify_at, make_covered_goods, make_insured, make_insured_pharmacy
from tests.factories.people import PASSWORD
from tests.factories.shop import check_books, desk_of, fill_basket, on_hand, one, open_shift
from tests.faults.conftest import eventually
from tests.faults.tills import Till

# Where the process of a wing ends, and what both sides must have come to then.
SETTLE = {
    "settle.reserving": ("facility", "nothing"),
    "ask.committed": ("facility", "settled"),
    "ask.sending": ("facility", "settled"),
    "center.arrived": ("center", "settled"),
    "center.read": ("center", "settled"),
    "center.written": ("center", "settled"),
    "center.answering": ("center", "settled"),
    "ask.answered": ("facility", "settled"),
    "settle.confirming": ("facility", "settled"),
    "settle.confirmed": ("facility", "settled"),
}
RELEASE = ("settle.releasing", "settle.released")
REFUND = ("refund.reserved", "refund.confirming", "refund.confirmed")
RECOVER = ("recover.taken", "recover.answered", "recover.reversed")

pytestmark = pytest.mark.faults


@pytest.fixture
def world(facility_app, center_app):
    """A pharmacy, its clerk's desk, goods that the center covers, and a person with 10 yuan in the account."""
    pharmacy = make_insured_pharmacy(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        open_shift(desk)
        goods = make_covered_goods(center_app, pharmacy, packs=4, pack_price="18.00")
        person = make_insured(center_app, current_fen=1_000)
        basket, _ = fill_basket(desk, goods.codes[0], goods.codes[1])
        identify_at(desk, basket, person)
        yield pharmacy, desk, goods, person, basket


def version_of(pharmacy, basket):
    return one(pharmacy, "select version from basket where tenant_id = %(t)s and id = %(b)s", b=basket).version


def open_attempts(pharmacy):
    return one(
        pharmacy,
        "select count(*) as n from insurance_attempt where tenant_id = %(t)s and state in ('asked', 'recovering')",
    ).n


def settle_over_http(wings, pharmacy, basket):
    """Press 结算; the answer may be lost with the process."""
    till = Till(wings, pharmacy)
    try:
        return till.post(f"/counter/baskets/{basket}/settlement", version=version_of(pharmacy, basket), tenders="[]")
    except httpx.TransportError:
        return None


def check_settled(pharmacy, goods, person, basket, center_app):
    sale = one(pharmacy, "select state, money, setl_id from sale where tenant_id = %(t)s and id = %(b)s", b=basket)
    assert sale.state == "settled"
    assert on_hand(pharmacy, goods) == (48, 0)
    rows = at_center(
        center_app,
        "select setl_id, total_fen, fund_fen, cash_fen, current_fen from settlement where psn_no = %(p)s",
        p=person.psn_no,
    )
    assert [(row.setl_id, row.total_fen, row.fund_fen, row.cash_fen) for row in rows] == [
        (sale.setl_id, 3600, sale.money["fund_fen"], sale.money["cash_fen"])
    ]
    assert (
        at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)[0].current_fen
        == 1_000 - sale.money["account_fen"]
    )
    facts = one(pharmacy, "select count(*) as n from outbox where tenant_id = %(t)s and kind = 'sale.sold'")
    assert facts.n == 1
    check_books(pharmacy)


def check_nothing(pharmacy, goods, person, center_app):
    assert on_hand(pharmacy, goods) == (96, 0)
    total = at_center(
        center_app,
        "select coalesce(sum(total_fen), 0)::bigint as fen from settlement where psn_no = %(p)s",
        p=person.psn_no,
    )[0]
    assert total.fen == 0
    assert (
        at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)[0].current_fen
        == 1_000
    )
    states = one(pharmacy, "select array_agg(distinct state) as states from trace_code where tenant_id = %(t)s")
    assert states.states == ["IN_STOCK"]
    check_books(pharmacy)


@pytest.mark.parametrize("point", SETTLE)
def test_a_kill_while_settling_loses_nothing_and_charges_once(wings, world, center_app, point):
    pharmacy, _desk, goods, person, basket = world
    wing, outcome = SETTLE[point]
    wings.center.start(f"{point}:kill" if wing == "center" else "")
    wings.facility.start(f"{point}:kill" if wing == "facility" else "")

    settle_over_http(wings, pharmacy, basket)
    (wings.center if wing == "center" else wings.facility).wait_killed()

    wings.stop()
    wings.center.start()
    wings.facility.start()
    wings.recovery.start()
    eventually(lambda: open_attempts(pharmacy) == 0)
    if outcome == "settled":
        check_settled(pharmacy, goods, person, basket, center_app)
    else:
        check_nothing(pharmacy, goods, person, center_app)
        answer = settle_over_http(wings, pharmacy, basket)
        assert answer.json()["kind"] == "settled"
        check_settled(pharmacy, goods, person, basket, center_app)


@pytest.mark.parametrize("point", RELEASE)
def test_a_kill_while_a_refusal_is_written_frees_everything(wings, world, center_app, point):
    pharmacy, _desk, goods, person, basket = world
    from app.center.registry import actions as registry

    with center_app.app_context(), tenancy.acting_as(district="33"):
        registry.set_status(person.psn_no, "lost")
    wings.center.start()
    wings.facility.start(f"{point}:kill")

    settle_over_http(wings, pharmacy, basket)
    wings.facility.wait_killed()

    wings.facility.start()
    wings.recovery.start()
    eventually(lambda: open_attempts(pharmacy) == 0)
    check_nothing(pharmacy, goods, person, center_app)
    again = one(pharmacy, "select count(*) as n from basket where tenant_id = %(t)s and state = 'open'")
    assert again.n == 1


@pytest.mark.parametrize("point", REFUND)
def test_a_kill_while_refunding_a_part_ends_refunded(wings, world, center_app, point):
    pharmacy, desk, goods, person, basket = world
    wings.center.start()
    wings.facility.start()
    assert settle_over_http(wings, pharmacy, basket).json()["kind"] == "settled"
    wings.facility.stop()
    wings.facility.start(f"{point}:kill")
    till = Till(wings, pharmacy)
    document = uuid4()
    form = {
        "document": str(document),
        "quantity-1": "1",
        "goods-1": "quarantine",
        "reason": "quality",
        "approver": "001",
        "approver_password": PASSWORD,
    }

    with pytest.raises(httpx.TransportError):
        till.post(f"/counter/sales/{basket}/refunds", **form)
    wings.facility.wait_killed()

    wings.facility.start()
    wings.recovery.start()
    eventually(lambda: open_attempts(pharmacy) == 0)
    if one(pharmacy, "select 1 as known from refund where tenant_id = %(t)s and id = %(d)s", d=document) is None:
        refunds.refund_sale(desk, document, basket, [Back(1, 1, "quarantine")], "quality", approver_id=pharmacy.owner)
    eventually(
        lambda: (
            one(pharmacy, "select state from refund where tenant_id = %(t)s and id = %(d)s", d=document).state
            == "refunded"
        )
    )
    live = at_center(
        center_app, "select sum(total_fen)::bigint as fen from settlement where psn_no = %(p)s", p=person.psn_no
    )[0]
    assert live.fen == 1_800
    money = one(pharmacy, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s")
    assert money.fen == 1_800
    assert on_hand(pharmacy, goods) == (72, 0)
    check_books(pharmacy)


@pytest.mark.parametrize("point", RECOVER)
def test_a_kill_while_recovering_is_recovered_from(wings, world, center_app, point):
    pharmacy, _desk, goods, person, basket = world
    wings.center.start()
    wings.facility.start("ask.answered:kill")
    settle_over_http(wings, pharmacy, basket)
    wings.facility.wait_killed()
    if point == "recover.reversed":
        one(pharmacy, "update insurance_attempt set given_up_at = now() where tenant_id = %(t)s returning id")
    wings.recovery.start(f"{point}:kill")
    wings.recovery.wait_killed()
    one(
        pharmacy, "update insurance_attempt set next_at = null where tenant_id = %(t)s returning id"
    )  # The dead worker's lease is over.

    wings.recovery.start()
    eventually(lambda: open_attempts(pharmacy) == 0)
    if point == "recover.reversed":
        check_nothing(pharmacy, goods, person, center_app)
    else:
        check_settled(pharmacy, goods, person, basket, center_app)


def test_a_silent_center_leaves_the_sale_locked_until_it_answers(wings, world, center_app):
    pharmacy, _desk, goods, person, basket = world
    wings.center.start("center.arrived:sleep=4")
    wings.facility.start(SUNMED_CENTER_SECONDS="2")

    answer = settle_over_http(wings, pharmacy, basket)
    assert answer.json()["kind"] == "unknown"
    second = settle_over_http(wings, pharmacy, basket)
    assert second.json()["kind"] in {"unknown", "settled"}
    wings.recovery.start()
    eventually(lambda: open_attempts(pharmacy) == 0)

    check_settled(pharmacy, goods, person, basket, center_app)
    wings.stop()
