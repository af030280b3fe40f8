import threading

import pytest

from app.core import tenancy
from app.core.errors import DocumentChanged
from app.facility.counter import baskets, held_baskets, settling
from app.facility.counter.errors import (
    CodeNotOnShelf,
    CodeScannedTwice,
    CodesMissing,
    CodeUnknown,
    NeedsPrescription,
    NoPharmacist,
    NoShift,
    StaleBasket,
)
from app.facility.stock.errors import CodeNotForSale, NotEnoughStock
from app.facility.till.errors import TenderShort
from app.facility.till.tenders import Tender
from tests.factories.people import make_pharmacy, post, sign_in
from tests.factories.shop import (
    check_books,
    desk_of,
    fill_basket,
    make_code,
    make_goods,
    on_hand,
    one,
    open_shift,
    sell,
)


@pytest.fixture
def pharmacy(facility_app):
    return make_pharmacy(facility_app)


@pytest.fixture
def desk(facility_app, pharmacy):
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        open_shift(desk)
        yield desk


def test_a_scanned_box_leaves_the_shelf_with_its_code(pharmacy, desk):
    goods = make_goods(pharmacy, 3)

    outcome = sell(desk, goods.codes[0])

    assert outcome.kind == "settled"
    assert outcome.receipt.startswith("S")
    assert on_hand(pharmacy, goods) == (48, 0)
    assert (
        one(pharmacy, "select state from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[0]).state
        == "SOLD"
    )
    assert baskets.get_basket(desk, outcome.sale_id).state == "closed"
    held_baskets.put_aside(desk, outcome.sale_id)  # A key pressed too late changes nothing.
    assert baskets.get_basket(desk, outcome.sale_id).state == "closed"
    check_books(pharmacy)


def test_three_lines_and_two_tenders_add_up(pharmacy, desk):
    first, second = make_goods(pharmacy, 3), make_goods(pharmacy, 3)

    outcome = sell(
        desk,
        first.codes[0],
        first.codes[1],
        second.codes[0],
        tenders=[Tender("wechat", 2000), Tender("cash", 5000)],
    )

    paid = one(
        pharmacy,
        "select jsonb_object_agg(kind, amount_fen) as by_kind from tender where tenant_id = %(t)s and document_id = %(d)s",
        d=outcome.sale_id,
    )
    assert paid.by_kind == {"wechat": 2000, "cash": 1750}


def test_a_barcode_takes_the_soonest_to_expire_and_wants_its_codes(pharmacy, desk):
    late = make_goods(pharmacy, 2, expires_in=500)
    soon = make_goods(pharmacy, 2, expires_in=100, product_id=late.product_id)
    barcode = one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=late.product_id
    ).barcode

    basket, version = fill_basket(desk, barcode)
    with pytest.raises(CodesMissing):
        settling.settle_basket(desk, basket, version)
    basket, version = fill_basket(desk, soon.codes[0], basket_id=basket)
    assert settling.settle_basket(desk, basket, version).kind == "settled"

    taken = one(
        pharmacy,
        "select lot_number from lot l join sale_pick p on p.tenant_id = l.tenant_id and p.lot_id = l.id where p.tenant_id = %(t)s and p.sale_id = %(s)s",
        s=basket,
    )
    assert taken.lot_number == soon.lot_number


def test_one_line_is_spread_over_lots_when_no_lot_is_pinned(pharmacy, desk):
    late = make_goods(pharmacy, 2, coded=False, expires_in=500)
    make_goods(pharmacy, 2, coded=False, expires_in=100, product_id=late.product_id)
    barcode = one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=late.product_id
    ).barcode

    outcome = sell(desk, barcode, barcode, barcode)

    assert outcome.kind == "settled"
    assert on_hand(pharmacy, late) == (24, 0)
    check_books(pharmacy)


def test_too_few_on_the_shelf_refuses_the_whole_sale_and_says_how_many(pharmacy, desk):
    full, short = make_goods(pharmacy, 5, coded=False), make_goods(pharmacy, 1, coded=False)
    codes = [
        one(pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=g.product_id).barcode
        for g in (full, short)
    ]
    basket, version = fill_basket(desk, codes[0], codes[1], codes[1])

    with pytest.raises(NotEnoughStock) as refused:
        settling.settle_basket(desk, basket, version)

    assert "只剩 1 盒，还差 1 盒" in refused.value.message
    assert on_hand(pharmacy, full) == (120, 0)
    assert baskets.get_basket(desk, basket).state == "open"


def test_the_same_basket_sent_eight_times_is_sold_once(pharmacy, desk, facility_app):
    goods = make_goods(pharmacy, 5)
    basket, version = fill_basket(desk, goods.codes[0])
    outcomes = []

    def press():
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            outcomes.append(settling.settle_basket(desk, basket, version))

    threads = [threading.Thread(target=press) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert len({outcome.receipt for outcome in outcomes}) == 1
    assert {outcome.kind for outcome in outcomes} == {"settled"}
    assert on_hand(pharmacy, goods) == (96, 0)
    check_books(pharmacy)


def test_the_same_basket_with_other_tenders_is_refused(pharmacy, desk):
    goods = make_goods(pharmacy, 5)
    basket, version = fill_basket(desk, goods.codes[0])
    settling.settle_basket(desk, basket, version)

    with pytest.raises(DocumentChanged):
        settling.settle_basket(desk, basket, version, [Tender("cash", 9999)])


def test_two_clerks_and_the_last_box_make_one_sale(pharmacy, desk, facility_app):
    goods = make_goods(pharmacy, 1, coded=False)
    other = desk_of(pharmacy, pharmacy.owner)
    open_shift(other)
    barcode = one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).barcode
    pressed = [(who, *fill_basket(who, barcode)) for who in (desk, other)]
    ended = []

    def press(who, basket, version):
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            try:
                ended.append(settling.settle_basket(who, basket, version).kind)
            except NotEnoughStock:
                ended.append("refused")

    threads = [threading.Thread(target=press, args=args) for args in pressed]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert sorted(ended) == ["refused", "settled"]
    assert on_hand(pharmacy, goods) == (0, 0)
    check_books(pharmacy)


def test_one_code_at_two_tills_is_sold_once(pharmacy, desk, facility_app):
    goods = make_goods(pharmacy, 3)
    other = desk_of(pharmacy, pharmacy.owner)
    open_shift(other)
    pressed = [(who, *fill_basket(who, goods.codes[0])) for who in (desk, other)]
    ended = []

    def press(who, basket, version):
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            try:
                ended.append(settling.settle_basket(who, basket, version).kind)
            except CodeNotForSale:
                ended.append("refused")

    threads = [threading.Thread(target=press, args=args) for args in pressed]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert sorted(ended) == ["refused", "settled"]
    check_books(pharmacy)


def test_a_sold_code_and_an_unknown_code_and_a_code_twice_are_refused_at_the_scan(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sell(desk, goods.codes[0])
    basket, _ = fill_basket(desk, goods.codes[1])

    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk, goods.codes[0], basket_id=basket)
    with pytest.raises(CodeUnknown):
        fill_basket(desk, make_code(), basket_id=basket)
    with pytest.raises(CodeScannedTwice):
        fill_basket(desk, goods.codes[1], basket_id=basket)


def test_a_prescription_drug_without_prescription_does_not_enter(pharmacy, desk):
    goods = make_goods(pharmacy, 3, rx_class="RX")

    with pytest.raises(NeedsPrescription):
        fill_basket(desk, goods.codes[0])


def test_without_a_pharmacist_class_a_otc_is_not_sold(facility_app):
    pharmacy = make_pharmacy(facility_app, on_duty=False)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        open_shift(desk)
        goods = make_goods(pharmacy, 3, rx_class="OTC_A")
        with pytest.raises(NoPharmacist):
            sell(desk, goods.codes[0])


def test_without_a_shift_nothing_is_sold(facility_app):
    pharmacy = make_pharmacy(facility_app)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        goods = make_goods(pharmacy, 3)
        with pytest.raises(NoShift):
            sell(desk_of(pharmacy), goods.codes[0])
        assert on_hand(pharmacy, goods) == (72, 0)


def test_too_little_money_changes_nothing(pharmacy, desk):
    goods = make_goods(pharmacy, 3)

    with pytest.raises(TenderShort) as refused:
        sell(desk, goods.codes[0], tenders=[Tender("cash", 1000)])

    assert "还差 2.50 元" in refused.value.message
    assert on_hand(pharmacy, goods) == (72, 0)


def test_an_older_page_is_told_that_the_basket_changed(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    basket, version = fill_basket(desk, goods.codes[0])
    fill_basket(desk, goods.codes[1], basket_id=basket)

    with pytest.raises(StaleBasket):
        settling.settle_basket(desk, basket, version)


def test_single_units_are_sold_from_an_opened_pack_until_it_is_empty(pharmacy, desk):
    goods = make_goods(pharmacy, 2, pack_size=3, pack_price="25.00")
    basket, _ = fill_basket(desk, goods.codes[0])
    baskets.split_line(desk, basket, 1)
    baskets.change_line(desk, basket, 1, quantity=2)
    assert settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version).kind == "settled"
    left = one(
        pharmacy, "select state, remaining from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[0]
    )
    assert (left.state, left.remaining) == ("SPLIT_OPEN", 1)

    sell(desk, goods.codes[0])

    done = one(
        pharmacy, "select state, remaining from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[0]
    )
    assert (done.state, done.remaining) == ("SOLD", 0)
    assert on_hand(pharmacy, goods) == (3, 0)
    check_books(pharmacy)


def test_the_number_typed_while_splitting_is_what_is_sold(facility_app, pharmacy, desk):
    """F3, 拆零, 4, F9: four single units; back to whole packs with a 2: two packs. A number left alone means one."""
    goods = make_goods(pharmacy, 3, pack_size=6, pack_price="25.00", coded=False, trace_required=False)
    barcode = one(pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id).barcode  # fmt: skip
    basket, _ = fill_basket(desk, barcode)
    clerk = facility_app.test_client()
    sign_in(clerk, pharmacy, pharmacy.clerk)

    def changed(split, quantity):
        no = baskets.get_basket(desk, basket).content.lines[0].line_no
        answer = post(clerk, f"/counter/baskets/{basket}/lines/{no}", {"split": split, "quantity": quantity})
        [line] = baskets.get_basket(desk, basket).content.lines
        return answer.status_code, line.split, line.sale_units

    assert changed("1", "7") == (422, False, 1)
    opened = "select count(*) as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s and zone = 'SPLIT'"
    assert one(pharmacy, opened, p=goods.product_id).n == 0, "more than a pack holds: none is opened for it"
    assert changed("1", "4") == (200, True, 4)
    assert changed("0", "2") == (200, False, 2)
    assert changed("1", "2") == (200, True, 1)
    assert changed("0", "1") == (200, False, 1)


def test_two_lines_in_single_units_never_name_one_pack_twice(pharmacy, desk):
    goods = make_goods(pharmacy, 3, pack_size=6, pack_price="25.00")
    barcode = one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).barcode
    basket, _ = fill_basket(desk, goods.codes[0])
    baskets.split_line(desk, basket, 1)
    fill_basket(desk, barcode, basket_id=basket)
    baskets.split_line(desk, basket, 2)  # The pack that is open is on line 1: one more unit of it.
    assert [(line.line_no, line.quantity) for line in baskets.get_basket(desk, basket).content.lines] == [(1, 2)]
    fill_basket(desk, goods.codes[1], basket_id=basket)
    baskets.split_line(desk, basket, 2)  # Its own pack, scanned and opened.

    known = baskets.get_basket(desk, basket)
    assert {code.code for line in known.content.lines for code in line.codes} == set(goods.codes[:2])
    assert settling.settle_basket(desk, basket, known.version).kind == "settled"
    assert on_hand(pharmacy, goods) == (15, 0)
    check_books(pharmacy)


def test_expired_and_held_stock_is_not_sold(pharmacy, desk):
    goods = make_goods(pharmacy, 3, coded=False)
    barcode = one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).barcode
    basket, version = fill_basket(desk, barcode)
    one(
        pharmacy,
        "update lot set hold = 'recalled' where tenant_id = %(t)s and product_id = %(p)s returning id",
        p=goods.product_id,
    )

    with pytest.raises(NotEnoughStock) as refused:
        settling.settle_basket(desk, basket, version)

    assert "冻结或召回" in refused.value.message


def test_a_stranger_sees_no_basket(pharmacy, desk, facility_app):
    from app.core.errors import NotFound

    goods = make_goods(pharmacy, 3)
    basket, version = fill_basket(desk, goods.codes[0])
    stranger = make_pharmacy(facility_app, name="三号药店")
    with tenancy.as_tenant(stranger.tenant_id), pytest.raises(NotFound):
        settling.settle_basket(desk_of(stranger), basket, version)
