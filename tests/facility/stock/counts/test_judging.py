"""Nothing lost and nothing false is no difference, whatever is sold and received between the entries."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.facility.stock.counts import entering
from app.facility.stock.counts.actions import Scope
from app.facility.stock.counts.rules import Counted, Differing, Tally, is_weighing_loss, judge, plan_moves
from tests.facility.stock.counts.conftest import Count, on_hand_in
from tests.factories.shop import check_books, make_goods, one, sell

PLACES = ("货架", "后库", "柜台")


class House:
    """One lot at several places, the book of it, and people who count it while others move it."""

    def __init__(self, lies, wrong_by=0):
        self.lies = dict(zip(PLACES, lies, strict=True))
        self.book = sum(lies) + wrong_by
        self.moves, self.entries = [], {}

    def sell(self, place):
        if self.lies[place] and self.book:
            self._move(place, -1)

    def receive(self, place, quantity):
        self._move(place, quantity)

    def _move(self, place, quantity):
        self.lies[place] += quantity
        self.book += quantity
        self.moves.append(quantity)

    def count(self, place):
        self.entries[place] = (self.lies[place], self.book, len(self.moves))

    def tally(self):
        first, last = min(mark for *_, mark in self.entries.values()), max(mark for *_, mark in self.entries.values())
        between = self.moves[first:last]
        book = next(book for _, book, mark in self.entries.values() if mark == last)
        counted = sum(quantity for quantity, *_ in self.entries.values())
        return Tally(counted, book, -sum(q for q in between if q < 0), sum(q for q in between if q > 0))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sell"), st.sampled_from(PLACES)),
        st.tuples(st.just("receive"), st.sampled_from(PLACES), st.integers(1, 5)),
        st.tuples(st.just("count"), st.sampled_from(PLACES)),
    ),
    max_size=30,
)
LIES = st.tuples(*[st.integers(0, 8)] * 3)


def play(house, steps):
    for what, *rest in steps:
        getattr(house, what)(*rest)
    for place in PLACES:  # At last everybody has counted everywhere.
        if place not in house.entries:
            house.count(place)
    return judge(house.tally())


@given(LIES, STEPS)
@settings(max_examples=500)
def test_nothing_lost_and_nothing_false_is_no_difference(lies, steps):
    assert play(House(lies), steps).difference == 0


@given(LIES, STEPS, st.integers(0, 6))
@settings(max_examples=500)
def test_a_difference_is_never_more_than_the_truth_and_never_of_the_other_sign(lies, steps, lost):
    house = House(lies, wrong_by=lost)

    verdict = play(house, steps)

    assert -lost <= verdict.difference <= 0
    assert verdict.difference - verdict.unsure <= -lost  # The truth lies within what is unsure.


@given(LIES, st.integers(-5, 5))
def test_counted_at_one_go_the_difference_is_exact(lies, wrong_by):
    house = House(lies, wrong_by=max(wrong_by, -sum(lies)))

    assert play(house, []).difference == -max(wrong_by, -sum(lies))


@pytest.mark.parametrize(
    ("tally", "difference", "unsure"),
    [
        (Tally(10, 10), 0, 0), (Tally(8, 10), -2, 0), (Tally(12, 10), 2, 0), (Tally(10, 9, went=1), 0, 1), (Tally(9, 9, went=1), 0, 1),
        (Tally(7, 9, went=1), -2, 1), (Tally(9, 10, reserved=1), 0, 1), (Tally(8, 10, reserved=1), -1, 1), (Tally(9, 10, corrected=-1), 0, 0),
        (Tally(14, 10, came=2, went=1), 3, 3),
    ],
)  # fmt: skip
def test_what_is_certain(tally, difference, unsure):
    verdict = judge(tally)

    assert (verdict.difference, verdict.unsure) == (difference, unsure)


@pytest.mark.parametrize(("rx", "difference", "book", "weighed"), [("HERB", -30, 1000, True), ("HERB", 31, 1000, False), ("HERB", 0, 1000, False), ("OTC_B", -1, 1000, False)])  # fmt: skip
def test_what_weighing_explains(rx, difference, book, weighed):
    assert is_weighing_loss(rx, difference, book, 3) is weighed


def coded(difference, found=(), missing=(), on_hand=96, loose=0, scanned=True):
    return Differing(
        "药", 7, "SALEABLE", difference, dict.fromkeys(found, 24), dict.fromkeys(missing, 24), on_hand, loose, scanned
    )


@pytest.mark.parametrize(
    ("line", "posted"),
    [
        (coded(-24, missing=["a"]), [("loss", 24, ("a",))]),
        (coded(-48, missing=["a"], loose=24), [("loss", 48, ("a",))]),
        (coded(-24, found=["b"], missing=["a", "c"]), [("loss", 48, ("a", "c")), ("gain", 24, ("b",))]),
        (coded(0, found=["b"], missing=["a"]), [("loss", 24, ("a",)), ("gain", 24, ("b",))]),
        (coded(24, found=["b"]), [("gain", 24, ("b",))]),
        (coded(72, found=["b"]), [("gain", 72, ("b",))]),
        (coded(-96, missing=["a", "b", "c", "d"]), [("loss", 96, ("a", "b", "c", "d"))]),
        (coded(-24, loose=24, missing=["a", "b"], scanned=False), [("loss", 24, ())]),
        (coded(-24, missing=["a", "b"]), None),
        (coded(-24, loose=96), [("loss", 24, ())]),
    ],
)  # fmt: skip
def test_what_is_posted_for_codes(line, posted):
    moves, untold = plan_moves([line])

    assert untold == ([] if posted else ["药"])
    assert [(move.by.code, move.quantity, move.codes) for move in moves] == (posted or [])


@given(steps=STEPS, lost=st.integers(0, 2))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sales_receipts_and_entries_interleaved_in_the_real_shop(pharmacy, desk, colleague, steps, lost):
    goods = make_goods(pharmacy, 12, coded=False, trace_required=False)
    code = one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).barcode
    house, standing = House((4, 5, 3 - lost), wrong_by=lost), {}
    count = Count(pharmacy, Scope("product", products=(goods.product_id,)), colleague=colleague)
    line = count.line(goods).line_no

    def enter(place):
        said, entry = Counted(house.lies[place] * goods.pack_size, place, (), str(standing.get(place, ""))), uuid4()
        entering.enter_count(count.clerk if place == "货架" else count.colleague, entry, count.id, line, said)
        standing[place] = entry

    for what, place, *rest in [*steps, *(("count", place) for place in PLACES)]:
        if what == "count":
            enter(place)
        elif what == "receive":
            house.receive(place, *rest)
            make_goods(pharmacy, *rest, coded=False, product_id=goods.product_id, lot_number=goods.lot_number)
        elif house.lies[place] and house.book:
            house.sell(place)
            sell(desk, code)
    count.close()
    difference = count.difference(goods)

    assert difference == -lost * goods.pack_size  # The last round was counted at one go.
    if difference:
        count.explain(goods)
    count.approve()
    assert on_hand_in(pharmacy, goods) == sum(house.lies.values()) * goods.pack_size
    check_books(pharmacy)
