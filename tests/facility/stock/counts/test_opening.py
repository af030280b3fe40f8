"""Opening a count: what stands on its list, how often it may stand there, and what that costs however long it is."""

from __future__ import annotations

import pytest

from app.core.errors import DocumentChanged, WrongInput
from app.core.hot import statements
from app.facility.db import transaction
from app.facility.stock.counts import actions
from app.facility.stock.counts.actions import Scope
from app.facility.stock.counts.errors import (
    AlreadyBeingCounted,
    NothingToCount,
)
from tests.factories.shop import one, plain


def test_a_full_count_lists_every_lot_in_every_zone(pharmacy, desk, open_count):
    shelf, aside = plain(pharmacy, 3), plain(pharmacy, 2, zone="QUARANTINE")

    count = open_count()

    assert count.number.startswith("P")
    assert (count.line(shelf).book, count.line(aside, "QUARANTINE").book) == (3 * shelf.pack_size, 2 * aside.pack_size)
    assert count.head.line_count == 2


def test_counts_of_a_shelf_of_products_and_of_controlled_goods_list_just_those(pharmacy, desk, open_count):
    goods, drawer, strict = plain(pharmacy, 1), plain(pharmacy, 1), plain(pharmacy, 1, special_class="EPHEDRINE")
    with transaction(settings=pharmacy.scope) as hot:
        hot.run(
            "insert into product_shelf (tenant_id, facility_id, product_id, shelf, staff_id, changed_at) values (%(tenant)s, %(facility)s, %(p)s, 'B02', %(staff)s, now())",
            {**desk.keys, "p": drawer.product_id},
        )

    for scope, wanted in ((Scope("shelf", "B02"), drawer), (Scope("product", products=(goods.product_id,)), goods), (Scope("controlled"), strict)):  # fmt: skip
        count = open_count(scope)
        assert count.head.line_count == 1
        assert count.line(wanted) is not None


def test_an_empty_scope_is_no_count(pharmacy, desk, open_count):
    with pytest.raises(NothingToCount):
        open_count(Scope("shelf", "Z99"))
    for wrong in (Scope("shelf"), Scope("product"), Scope("everything")):
        with pytest.raises(WrongInput):
            open_count(wrong)


def test_one_lot_stands_in_one_unfinished_count(pharmacy, desk, open_count):
    goods = plain(pharmacy)
    first = open_count()

    with pytest.raises(AlreadyBeingCounted) as refused:
        open_count(Scope("product", products=(goods.product_id,)))
    assert first.number in refused.value.message
    actions.withdraw_count(first.leader, first.id)

    open_count(Scope("product", products=(goods.product_id,)))


def test_opening_twice_opens_once_and_other_content_is_refused(pharmacy, desk, open_count):
    plain(pharmacy)
    count = open_count()

    assert actions.open_count(count.leader, count.id, Scope("full")) == count.number
    with pytest.raises(DocumentChanged):
        actions.open_count(count.leader, count.id, Scope("full"), blind=False)


def test_opening_and_closing_take_few_statements_however_many_lines(pharmacy, desk, open_count):
    for _ in range(12):
        plain(pharmacy, 1)
    with statements() as opening:
        count = open_count()
    with statements() as closing:
        count.close(rest_is_gone=True)

    assert count.head.line_count == 12
    assert len(opening) <= 4
    assert len(closing) <= 7


def test_five_thousand_lines_open_and_close_with_the_same_statements(pharmacy, desk, open_count):
    """Lines are made in bulk here; what is looked at is that no statement is repeated by line."""
    goods = plain(pharmacy, 1)
    with transaction(settings=pharmacy.scope) as hot:
        keys = {**desk.keys, "p": goods.product_id}
        hot.run(
            """insert into lot (tenant_id, facility_id, product_id, lot_number, expires_on)
            select %(tenant)s, %(facility)s, %(p)s, 'B' || n, date '2029-01-01' from generate_series(1, 5000) n""",
            keys,
        )
        hot.run(
            """insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on, on_hand)
            select tenant_id, id, 'SALEABLE', facility_id, product_id, expires_on, 24 from lot where tenant_id = %(tenant)s and lot_number like 'B%%'""",
            keys,
        )
    with statements() as ran:
        count = open_count()
        assert count.close(rest_is_gone=True) == 5001

    assert len(ran) <= 11
    assert (
        one(pharmacy, "select count(*) as n from count_line where tenant_id = %(t)s and difference = -24", n=0).n
        == 5001
    )
