"""What was paid is handed over: two people, each pack by its code, once, and the books agree."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import msgspec
import psycopg
import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.dispensing import handing
from app.facility.clinic.dispensing.errors import (
    CodeNotFor,
    LotReasonMissing,
    MoreThanLeft,
    NothingToHand,
    NotToDispense,
    PackClosed,
    Paused,
    PauseIncomplete,
    SameEyes,
)
from app.facility.clinic.dispensing.rules import Take
from app.facility.clinic.errors import NotEligible, NotPractitioner
from app.facility.clinic.practice import actions as practice
from app.facility.db import run, transaction
from app.facility.stock.errors import CodesDoNotFit, StockNotMovable
from tests.factories.billing import charged_visit
from tests.factories.clinic import make_clinic, sheet
from tests.factories.shop import check_books, desk_of, make_goods, make_product, on_hand


def state(order):
    return run("select state from clinic_order where id = :o", o=order).scalar_one()


def left(order):
    return run("select coalesce(sum(k.held), 0)::bigint from bill_pick k join bill_line n on n.bill_id = k.bill_id and n.line_no = k.line_no where n.order_id = :o", o=order).scalar_one()  # fmt: skip


def code_state(code):
    return tuple(run("select state, remaining from trace_code where code = :c", c=code).one())


def last_told(clinic):
    """What the center was told of the last move."""
    told = "select body from outbox where facility_id = :f and kind = 'stock.moved' order by number desc limit 1"
    return msgspec.json.decode(bytes(run(told, f=clinic.facility_id).scalar_one()))


def test_two_packs_leave_with_their_codes_and_the_reservation_ends(clinic, desk, checker, goods, order):
    handing_id, take = uuid4(), [Take(1, 48, goods.codes[:2])]
    number = handing.hand_over(desk, handing_id, order, take, checker)

    assert number.startswith("D")
    assert handing.hand_over(desk, handing_id, order, take, checker) == number
    assert on_hand(clinic, goods) == (192, 0)
    assert (state(order), left(order)) == ("DONE", 0)
    assert code_state(goods.codes[0]) == ("SOLD", 0)
    assert code_state(goods.codes[2]) == ("IN_STOCK", 24)
    assert run("select staff_id, checker_id from dispensing where id = :d", d=handing_id).one() == (
        clinic.pharmacist,
        clinic.nurse,
    )
    body = last_told(clinic)
    assert "units" not in body["lines"][0]
    assert (body["act"], body["number"], body["lines"][0]["kind"], sorted(body["lines"][0]["codes"])) == (
        "dispense",
        number,
        "SA",
        sorted(goods.codes[:2]),
    )
    check_books(clinic)
    with pytest.raises(DocumentChanged):
        handing.hand_over(desk, handing_id, order, [Take(1, 24, goods.codes[:1])], checker)
    with pytest.raises(NotToDispense):
        handing.hand_over(desk, uuid4(), order, take, checker)


def test_who_puts_it_together_does_not_check_it(clinic, desk, goods, order):
    with pytest.raises(SameEyes):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], (desk.staff_id, "003"))
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], (clinic.nurse, "005"))
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="dispensing_other_eyes"),
        transaction(settings=clinic.scope) as hot,
    ):
        hot.run_last(
            "insert into dispensing (id, facility_id, order_id, bill_id, number, staff_id, checker_id, rest, at, digest) select gen_random_uuid(), facility_id,"
            " order_id, bill_id, 'D0', staff_id, staff_id, false, at, digest from dispensing where tenant_id = %(t)s", {"t": clinic.tenant_id},
        )  # fmt: skip


def test_the_right_to_do_it_is_looked_at_then(clinic, desk, checker, goods, order):
    take = [Take(1, 48, goods.codes[:2])]
    practice.suspend(desk_of(clinic, clinic.owner), clinic.pharmacist, clock.business_date(), None, "记分")
    with pytest.raises(NotEligible):
        handing.hand_over(desk, uuid4(), order, take, checker)
    with pytest.raises(NotPractitioner):
        handing.hand_over(desk_of(clinic, clinic.clerk), uuid4(), order, take, checker)


def test_the_checkers_right_is_looked_at_then_and_an_emergency_goes_on(clinic, desk, checker, goods, order):
    take = [Take(1, 48, goods.codes[:2])]
    practice.suspend(desk_of(clinic, clinic.owner), clinic.nurse, clock.business_date(), None, "记分")
    with pytest.raises(NotEligible):
        handing.hand_over(desk, uuid4(), order, take, checker)
    with pytest.raises(NotPractitioner):
        handing.hand_over(desk, uuid4(), order, take, (clinic.clerk, "002 陈*"))
    assert run("select count(*) from dispensing").scalar_one() == 0

    urgent = sheet("WESTERN", (goods.product_id, 48), tag="emergency")
    charged_visit(clinic, urgent)
    assert handing.hand_over(desk, uuid4(), urgent.id, take, checker)


def test_opening_a_pack_and_pausing_ask_for_the_right_too(clinic, desk, goods):
    made = sheet("WESTERN", Line(goods.product_id, 6, split=True))
    charged_visit(clinic, made)
    practice.suspend(desk_of(clinic, clinic.owner), clinic.pharmacist, clock.business_date(), None, "记分")
    for act in (lambda: handing.open_pack(desk, uuid4(), made.id, 1), lambda: handing.pause(desk, uuid4(), made.id, "等")):  # fmt: skip
        with pytest.raises(NotEligible):
            act()
    with pytest.raises(NotPractitioner):
        handing.pause(desk_of(clinic, clinic.clerk), uuid4(), made.id, "等")
    assert (left(made.id), run("select count(*) from dispensing_pause").scalar_one()) == (6, 0)


def test_a_part_goes_now_and_the_rest_later(clinic, desk, checker, goods, order):
    handing.hand_over(desk, uuid4(), order, [Take(1, 24, goods.codes[:1])], checker)
    assert (state(order), left(order), on_hand(clinic, goods)) == ("DISPENSING", 24, (216, 24))
    with pytest.raises(MoreThanLeft):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[1:3])], checker)
    handing.hand_over(desk, uuid4(), order, [Take(1, 24, goods.codes[1:2])], checker)
    assert (state(order), on_hand(clinic, goods)) == ("DONE", (192, 0))
    check_books(clinic)


def test_nothing_odd_is_handed_over(desk, checker, goods, order):
    for wanted, why in [([], NothingToHand), ([Take(9, 24)], NothingToHand), ([Take(1, 24, goods.codes[:1])] * 2, NothingToHand), ([Take(1, 5)], MoreThanLeft), ([Take(1, 24, goods.codes[:2])], MoreThanLeft), ([Take(1, 48)], CodesDoNotFit), ([Take(1, 48, (goods.codes[0],) * 2)], CodesDoNotFit)]:  # fmt: skip
        with pytest.raises(why):
            handing.hand_over(desk, uuid4(), order, wanted, checker)
    assert state(order) == "CHARGED"


def test_another_lot_of_the_same_drug_may_go_and_another_drug_never(clinic, desk, checker, goods, order):
    later = make_goods(clinic, 3, product_id=goods.product_id, expires_in=700)
    other = make_goods(clinic, 2)
    with pytest.raises(CodeNotFor):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, other.codes)], checker)
    with pytest.raises(CodeNotFor):
        handing.hand_over(desk, uuid4(), order, [Take(1, 24, ("83000000000000000000",))], checker)
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, (goods.codes[0], later.codes[0]), "in_hand")], checker)

    rows = run("select lot_number, on_hand, reserved from lot_balance b join lot l on l.id = b.lot_id where b.product_id = :p order by lot_number = :l desc", p=goods.product_id, l=goods.lot_number).all()  # fmt: skip
    assert [(row.on_hand, row.reserved) for row in rows] == [(216, 0), (48, 0)]
    check_books(clinic)


def test_a_lot_that_expires_later_goes_with_its_reason_only(clinic, desk, checker, goods, order):
    later = make_goods(clinic, 3, product_id=goods.product_id, expires_in=700)
    mixed = (goods.codes[0], later.codes[0])
    for reason, note in (("", ""), ("nonsense", ""), ("other", " "), ("other", "长" * 61)):
        with pytest.raises(LotReasonMissing, match=goods.lot_number):
            handing.hand_over(desk, uuid4(), order, [Take(1, 48, mixed, reason, note)], checker)
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, mixed, "other", "外包装受潮")], checker)

    kept = run(
        "select x.lot_number, y.lot_number as passed, lot_reason, lot_note from dispensing_line g join lot x on x.id = g.lot_id left join lot y on y.id = g.passed_lot_id"
        " where g.codes <> '{}' order by passed nulls first",
    ).all()  # fmt: skip
    assert [tuple(row) for row in kept] == [
        (goods.lot_number, None, "", ""), (later.lot_number, goods.lot_number, "other", "外包装受潮")
    ]  # fmt: skip
    told = {line["lot"]: line.get("passed_over") for line in last_told(clinic)["lines"]}
    assert told[goods.lot_number] is None
    assert (told[later.lot_number]["lot"], told[later.lot_number]["reason"]) == (goods.lot_number, "other")


def test_a_lot_that_expires_sooner_or_may_not_go_is_no_reason_to_ask(clinic, desk, checker, goods, order):
    sooner = make_goods(clinic, 1, product_id=goods.product_id, expires_in=200)
    handing.hand_over(desk, uuid4(), order, [Take(1, 24, sooner.codes)], checker)
    later = make_goods(clinic, 1, product_id=goods.product_id, expires_in=700)
    with transaction(settings=clinic.scope) as hot:
        hot.run_last("update lot set hold = 'frozen', hold_reason = 'x' where tenant_id = %(t)s and lot_number = %(l)s", {"t": clinic.tenant_id, "l": goods.lot_number})  # fmt: skip
    handing.hand_over(desk, uuid4(), order, [Take(1, 24, later.codes)], checker)

    assert state(order) == "DONE"
    assert run("select count(*) from dispensing_line where lot_reason <> ''").scalar_one() == 0
    check_books(clinic)


def test_two_at_once_hand_it_over_once(facility_app, clinic, desk, checker, goods, order):
    def hand(codes):
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            try:
                return handing.hand_over(desk, uuid4(), order, [Take(1, 48, codes)], checker)
            except NotToDispense as told:
                return told.code

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(hand, [goods.codes[:2], goods.codes[2:4]]))
    assert answers.count("not_to_dispense") == 1
    assert on_hand(clinic, goods) == (192, 0)
    check_books(clinic)


@pytest.mark.parametrize("hold", ["frozen", "recalled"])
def test_what_is_frozen_or_recalled_is_not_handed_over(clinic, desk, checker, goods, order, hold):
    with transaction(settings=clinic.scope) as hot:
        hot.run_last("update lot set hold = %(h)s, hold_reason = 'x' where tenant_id = %(t)s and lot_number = %(l)s", {"t": clinic.tenant_id, "h": hold, "l": goods.lot_number})  # fmt: skip
    with pytest.raises(StockNotMovable):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    assert on_hand(clinic, goods) == (240, 48)


def test_what_expired_since_it_was_paid_is_not_handed_over(clinic, desk, checker, monkeypatch):
    short = make_goods(clinic, 2, expires_in=2)
    made = sheet("WESTERN", (short.product_id, 24))
    charged_visit(clinic, made)
    day = clock.business_date() + timedelta(days=3)
    monkeypatch.setattr(clock, "business_date", lambda _at=None: day)
    with pytest.raises(StockNotMovable, match="过效期"):
        handing.hand_over(desk, uuid4(), made.id, [Take(1, 24, short.codes[:1])], checker)


def test_single_units_come_out_of_a_pack_that_is_opened_for_them(clinic, desk, checker, goods):
    made = sheet("WESTERN", Line(goods.product_id, 6, split=True))
    charged_visit(clinic, made)
    with pytest.raises(PackClosed):
        handing.hand_over(desk, uuid4(), made.id, [Take(1, 6)], checker)
    handing.open_pack(desk, uuid4(), made.id, 1, goods.codes[3])
    handing.open_pack(desk, uuid4(), made.id, 1)  # It is open already.
    assert (code_state(goods.codes[3]), left(made.id), on_hand(clinic, goods)) == (("SPLIT_OPEN", 24), 6, (240, 6))
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 6)], checker)
    assert (code_state(goods.codes[3]), on_hand(clinic, goods), state(made.id)) == (
        ("SPLIT_OPEN", 18),
        (234, 0),
        "DONE",
    )
    check_books(clinic)


def test_the_center_is_told_how_much_of_each_opened_pack_went(clinic, desk, checker):
    goods = make_goods(clinic, 2)
    packs = sorted(goods.codes)
    for units, line in ((20, {"codes": packs[:1], "units": [20]}), (10, {"codes": packs, "units": [4, 6]})):  # fmt: skip
        made = sheet("WESTERN", Line(goods.product_id, units, split=True))
        charged_visit(clinic, made)
        handing.open_pack(desk, uuid4(), made.id, 1)
        handing.hand_over(desk, uuid4(), made.id, [Take(1, units)], checker)

        told = last_told(clinic)["lines"][0]
        assert {name: told[name] for name in line} == line


def test_two_sheets_that_share_the_last_pack_both_get_their_units(clinic, desk, checker):
    last = make_goods(clinic, 1)
    first, second = (sheet("WESTERN", Line(last.product_id, 10, split=True)) for _turn in range(2))
    charged_visit(clinic, first)
    charged_visit(clinic, second)
    handing.open_pack(desk, uuid4(), first.id, 1)
    for made in (first, second):
        assert left(made.id) == 10
        handing.hand_over(desk, uuid4(), made.id, [Take(1, 10)], checker)
    assert on_hand(clinic, last) == (4, 0)
    check_books(clinic)


def test_herbs_are_weighed_out_of_the_drawer(clinic, desk, checker):
    herb = make_goods(clinic, 1000, coded=False, rx_class="HERB", pack_unit="克", base_unit="0.01克", pack_size=100, pack_price="0.12", trace_required=False, split_allowed=False, barcode=None)  # fmt: skip
    made = sheet("HERB", (herb.product_id, 6300))
    charged_visit(clinic, made)
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 6300)], checker)
    assert (on_hand(clinic, herb), state(made.id)) == ((93_700, 0), "DONE")
    check_books(clinic)


def test_a_sheet_is_paused_with_a_reason_and_goes_on(desk, checker, goods, order):
    event = uuid4()
    with pytest.raises(PauseIncomplete):
        handing.pause(desk, uuid4(), order, "长" * 201)
    handing.pause(desk, event, order, "患者去补交病历")
    handing.pause(desk, event, order, "患者去补交病历")
    with pytest.raises(Paused, match="补交病历"):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    handing.pause(desk, uuid4(), order, "")
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    assert run("select count(*) from dispensing_pause where order_id = :o", o=order).scalar_one() == 2


def test_what_is_not_paid_and_what_is_a_strangers_stays(facility_app, clinic, desk, checker, goods, order):
    from tests.factories.billing import signed_visit

    _visit, [unpaid] = signed_visit(clinic, sheet("WESTERN", (make_product(clinic), 24)))
    with pytest.raises(NotFound):
        handing.hand_over(desk, uuid4(), unpaid, [Take(1, 24)], checker)
    other = make_clinic(facility_app)
    with tenancy.as_tenant(other.tenant_id), pytest.raises(NotFound):
        handing.hand_over(desk_of(other, other.pharmacist), uuid4(), order, [Take(1, 24, goods.codes[:1])], checker)
