"""A recall freezes its lots everywhere, tells the center, finds the buyers, and ends by another hand."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged, NotFound
from app.facility.counter import baskets, held_baskets
from app.facility.counter.errors import CodeNotOnShelf
from app.facility.stock.errors import ReceiptNotTaken
from app.facility.stock.recalls import actions, queries, rules
from app.facility.stock.recalls.errors import (
    CenterReleases,
    NotHeld,
    ReasonMissing,
    RecallIncomplete,
    RecallIsOver,
    ReleasedByOthersOnly,
)
from tests.facility.stock.recalls.world import an_issue, changes, facts, holds, issue, rows, second_shop, wanted
from tests.factories.bridge import pull, tell
from tests.factories.city import make_insured, make_insured_pharmacy, register, sell_insured
from tests.factories.shop import check_books, desk_of, fill_basket, make_goods, one, sell


@pytest.fixture
def national():
    return f"XA{uuid4().hex[:18].upper()}"


def test_one_act_freezes_the_lot_at_every_facility(pharmacy, desk):
    goods = make_goods(pharmacy, 4, lot_number="240301")
    other = second_shop(pharmacy)
    make_goods(other, 3, lot_number="240301", product_id=goods.product_id)
    fine = make_goods(other, 3, lot_number="240302", product_id=goods.product_id)

    recall, number = issue(desk, goods)

    assert number.startswith("Z")
    assert sorted(holds(pharmacy, goods), key=str) == sorted(
        [(pharmacy.facility_id, "recalled"), (other.facility_id, "recalled"), (other.facility_id, None)], key=str
    )
    assert changes(pharmacy, goods) == [("", "recalled", "有异物", pharmacy.clerk)]
    here, there = facts(pharmacy)[-1], facts(other)[-1]
    assert (here["act"], here["recall"], here["lots"][0]["lot"]) == ("held", str(recall), "240301")
    assert here["lots"][0]["quantity"] == 4 * goods.pack_size
    assert there["lots"][0]["zones"] == [{"zone": "SALEABLE", "quantity": 3 * goods.pack_size}]
    with pytest.raises(CodeNotOnShelf, match="code_not_on_shelf"):
        fill_basket(desk, goods.codes[0])
    assert fill_basket(desk_of(other), fine.codes[0])
    check_books(pharmacy)


def test_the_same_recall_sent_again_changes_nothing(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    recall, number = issue(desk, goods)
    told = len(facts(pharmacy))

    assert actions.issue_recall(desk, recall, wanted(goods)) == number
    assert len(facts(pharmacy)) == told
    with pytest.raises(DocumentChanged):
        actions.issue_recall(desk, recall, wanted(goods, level=2))


@pytest.mark.parametrize(
    "change", [{"lots": ()}, {"lots": ("",)}, {"level": 4}, {"reason": " "}, {"reason": "长" * 201}, {"codes": ("1",) * 201}, {"instructions": "长" * 501}]
)  # fmt: skip
def test_an_incomplete_recall_freezes_nothing(pharmacy, desk, change):
    goods = make_goods(pharmacy, 2)

    with pytest.raises(RecallIncomplete):
        actions.issue_recall(desk, uuid4(), wanted(goods, **change))

    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]


def test_a_lot_that_arrives_while_the_recall_runs_is_frozen_as_it_comes_in(pharmacy, desk):
    goods = make_goods(pharmacy, 1, lot_number="A1")
    issue(desk, goods)
    other = second_shop(pharmacy)

    with pytest.raises(ReceiptNotTaken):  # Not among what is for sale.
        make_goods(other, 2, lot_number="A1", product_id=goods.product_id)
    late = make_goods(other, 2, lot_number="A1", product_id=goods.product_id, zone="QUARANTINE")

    assert (other.facility_id, "recalled") in holds(pharmacy, late)
    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk_of(other), late.codes[0])


def test_a_basket_filled_before_the_recall_is_told_and_refused(pharmacy, desk):
    from app.core.errors import Refusal
    from app.facility.counter import settling

    goods = make_goods(pharmacy, 2)
    basket, version = fill_basket(desk, goods.codes[0])
    recall, _ = issue(desk, goods)

    assert queries.waiting(pharmacy.facility_id, recall).baskets == 1
    with pytest.raises(Refusal):
        settling.settle_basket(desk, basket, version, ())
    assert one(pharmacy, "select count(*) as n from sale where tenant_id = %(t)s").n == 0


def test_only_baskets_that_still_wait_are_told_of(pharmacy, desk):
    goods = make_goods(pharmacy, 6)
    sell(desk, goods.codes[0])
    dropped, _ = fill_basket(desk, goods.codes[1])
    baskets.drop(desk, dropped)
    held, _ = fill_basket(desk, goods.codes[2])
    held_baskets.hold(desk, held)
    fill_basket(desk, goods.codes[3])
    packs, _ = issue(desk, goods, codes=[goods.codes[2]])
    recall, _ = issue(desk, goods)

    assert queries.waiting(pharmacy.facility_id, recall).baskets == 2
    assert queries.waiting(pharmacy.facility_id, packs).baskets == 1


def test_buyers_are_found_masked_and_called_one_by_one(pharmacy, desk, center_app):
    person = make_insured(center_app)
    from tests.factories.city import make_covered_goods

    goods = make_covered_goods(center_app, pharmacy, 5)
    insured = sell_insured(desk, person, goods.codes[0])
    cash = sell(desk, goods.codes[1], goods.codes[2])
    recall, _ = issue(desk, goods)

    buyers = queries.buyers_of(pharmacy.facility_id, recall)
    assert {row.receipt for row in buyers} == {insured.receipt, cash.receipt}
    assert {row.who for row in buyers} == {None, next(row.who for row in buyers if row.who)}
    assert "*" in next(row.who for row in buyers if row.who)
    assert {row.quantity for row in buyers} == {goods.pack_size, 2 * goods.pack_size}

    actions.note_call(desk, recall, insured.sale_id, "unreached", "占线")
    actions.note_call(desk, recall, insured.sale_id, "coming")
    assert {row.outcome for row in queries.buyers_of(pharmacy.facility_id, recall)} == {None, "coming"}
    figures = actions.report_recall(desk, recall, "已全部下架")
    assert (figures["held"], figures["sold"], figures["buyers"], figures["reached"]) == (
        2 * goods.pack_size,
        3 * goods.pack_size,
        2,
        1,
    )
    assert facts(pharmacy, "recall.reported")[-1]["reached"] == 1
    with pytest.raises(NotFound):
        actions.note_call(desk, recall, uuid4(), "coming")


def test_whoever_started_a_recall_does_not_end_it(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    recall, _ = issue(desk, goods)

    with pytest.raises(ReleasedByOthersOnly):
        actions.close_recall(desk, recall, "误报")
    actions.close_recall(desk_of(pharmacy, pharmacy.pharmacist), recall, "复检合格")

    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]
    assert changes(pharmacy, goods)[-1][:2] == ("recalled", "")
    assert facts(pharmacy)[-1]["act"] == "released"
    assert fill_basket(desk, goods.codes[0])
    with pytest.raises(RecallIsOver):
        actions.close_recall(desk_of(pharmacy, pharmacy.pharmacist), recall, "再来一次")


def test_what_another_recall_still_means_stays_frozen_and_a_lock_comes_back(pharmacy, desk):
    goods, locked = make_goods(pharmacy, 2, lot_number="B1"), make_goods(pharmacy, 2, lot_number="B2")
    lot = one(pharmacy, "select id from lot where tenant_id = %(t)s and lot_number = 'B2'").id
    actions.hold_lot(desk, uuid4(), lot, "外包装受潮")
    first, _ = issue(desk, goods)
    issue(desk, goods, reason="另一原因")
    third, _ = issue(desk, locked)
    pharmacist = desk_of(pharmacy, pharmacy.pharmacist)

    actions.close_recall(pharmacist, first, "复检合格")
    actions.close_recall(pharmacist, third, "复检合格")

    assert holds(pharmacy, goods) == [(pharmacy.facility_id, "recalled")]
    assert holds(pharmacy, locked) == [(pharmacy.facility_id, "frozen")]


def test_single_packs_are_set_aside_and_their_lot_goes_on_selling(pharmacy, desk):
    goods = make_goods(pharmacy, 4)

    _, _ = issue(desk, goods, codes=goods.codes[:2])

    states = rows(pharmacy, "select code, state, zone from trace_code where tenant_id = %(t)s order by code")
    assert {row.code: (row.state, row.zone) for row in states if row.code in goods.codes[:2]} == dict.fromkeys(
        goods.codes[:2], ("FROZEN", "QUARANTINE")
    )
    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]
    assert set(facts(pharmacy)[-1]["packs"]) == set(goods.codes[:2])
    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk, goods.codes[0])
    assert fill_basket(desk, goods.codes[3])
    check_books(pharmacy)


# ---- recalls of the center -----------------------------------------------------------------------------------------


def test_a_recall_of_the_center_freezes_what_is_here_and_answers(facility_app, center_app, pharmacy, desk, national):
    goods = make_goods(pharmacy, 3, national_code=national, lot_number="C1")
    other = make_goods(pharmacy, 3, lot_number="C1")
    body = an_issue(national, ["C1"])
    tell(center_app, [pharmacy.code], "recall.issued", body)

    pull(facility_app, center_app, pharmacy)

    assert holds(pharmacy, goods) == [(pharmacy.facility_id, "recalled")]
    assert holds(pharmacy, other) == [(pharmacy.facility_id, None)]
    told = facts(pharmacy)[-1]
    assert (told["recall"], told["origin"], told["lots"][0]["quantity"]) == (
        body["recall"],
        "center",
        3 * goods.pack_size,
    )
    waiting = one(
        pharmacy, "select count(*) as n from recall_place where facility_id = %(f)s and acknowledged_at is null"
    ).n
    assert waiting == 1
    with pytest.raises(CenterReleases):
        actions.close_recall(desk_of(pharmacy, pharmacy.owner), body["recall"], "自己结束")
    actions.acknowledge_recall(desk, body["recall"])
    actions.acknowledge_recall(desk, body["recall"])

    closing = {
        "recall": body["recall"],
        "number": body["number"],
        "closed_at": body["issued_at"],
        "summary": "召回完成",
    }
    tell(center_app, [pharmacy.code], "recall.closed", closing)
    pull(facility_app, center_app, pharmacy)
    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]
    assert facts(pharmacy)[-1]["act"] == "released"
    assert one(pharmacy, "select state from recall where tenant_id = %(t)s").state == "closed"


def test_a_recall_of_what_nobody_has_is_answered_with_nothing(facility_app, center_app, pharmacy, desk, national):
    tell(center_app, [pharmacy.code], "recall.issued", an_issue(national, ["C9"]))

    pull(facility_app, center_app, pharmacy)

    assert facts(pharmacy)[-1]["lots"] == []
    assert one(pharmacy, "select set_aside from news where tenant_id = %(t)s").set_aside is None


@pytest.mark.parametrize(
    ("product", "is_meant"),
    [
        ({"name": "不同名", "approval": "国药准字H1"}, True),
        ({"name": "阿莫西林胶囊", "maker": "甲厂"}, True),
        ({"name": "阿莫西林胶囊", "maker": "乙厂"}, False),
        ({"name": "阿莫西林胶囊"}, False),
        ({"name": "阿莫西林胶囊", "maker": "甲厂", "spec": "别的规格"}, False),
    ],
)
def test_a_product_is_meant_by_national_code_or_approval_or_name_and_maker(
    facility_app, center_app, pharmacy, desk, product, is_meant
):
    goods = make_goods(
        pharmacy, 1, lot_number="D1", generic_name="阿莫西林胶囊", maker="甲厂", approval_number="国药准字H1"
    )
    tell(center_app, [pharmacy.code], "recall.issued", an_issue(None, ["D1"], product=product))

    pull(facility_app, center_app, pharmacy)

    assert holds(pharmacy, goods) == [(pharmacy.facility_id, "recalled" if is_meant else None)]


def test_each_shop_of_a_chain_answers_for_itself(facility_app, center_app, pharmacy, desk, national):
    goods = make_goods(pharmacy, 1, national_code=national, lot_number="E1")
    other = second_shop(pharmacy)
    register(center_app, other)
    make_goods(other, 2, lot_number="E1", product_id=goods.product_id)
    tell(center_app, [pharmacy.code, other.code], "recall.issued", an_issue(national, ["E1"]))

    pull(facility_app, center_app, pharmacy, other)

    assert {hold for _, hold in holds(pharmacy, goods)} == {"recalled"}
    assert [facts(shop)[-1]["lots"][0]["quantity"] for shop in (pharmacy, other)] == [
        goods.pack_size,
        2 * goods.pack_size,
    ]


def test_single_packs_of_a_recall_of_the_center_are_set_aside(facility_app, center_app, pharmacy, desk, national):
    goods = make_goods(pharmacy, 3, national_code=national)
    tell(center_app, [pharmacy.code], "recall.issued", an_issue(national, [], codes=[goods.codes[0], "83" + "0" * 18]))

    pull(facility_app, center_app, pharmacy)

    assert (
        one(pharmacy, "select state from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[0]).state
        == "FROZEN"
    )
    assert [
        kind.kind
        for kind in rows(pharmacy, "select kind from outbox where facility_id = %(f)s order by number desc limit 2")
    ] == ["lot.held", "stock.moved"]
    check_books(pharmacy)


# ---- one lot on suspicion ------------------------------------------------------------------------------------------


def lot_of(pharmacy, goods):
    return one(
        pharmacy,
        "select id from lot where tenant_id = %(t)s and facility_id = %(f)s and product_id = %(p)s",
        p=goods.product_id,
    ).id


def test_a_suspicious_lot_is_locked_by_one_and_released_by_another(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    lot, document = lot_of(pharmacy, goods), uuid4()

    actions.hold_lot(desk, document, lot, "片剂裂片")
    actions.hold_lot(desk, document, lot, "片剂裂片")
    assert holds(pharmacy, goods) == [(pharmacy.facility_id, "frozen")]
    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk, goods.codes[0])
    with pytest.raises(ReleasedByOthersOnly):
        actions.release_lot(desk, uuid4(), lot, "看过了")
    actions.release_lot(desk_of(pharmacy, pharmacy.pharmacist), uuid4(), lot, "复检合格")

    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]
    assert [(row[0], row[1]) for row in changes(pharmacy, goods)] == [("", "frozen"), ("frozen", "")]
    assert [(fact["act"], fact["hold"]) for fact in facts(pharmacy)] == [("held", "frozen"), ("released", "frozen")]


def test_a_hold_needs_a_reason_and_a_recalled_lot_is_not_released_by_hand(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    lot = lot_of(pharmacy, goods)

    with pytest.raises(ReasonMissing):
        actions.hold_lot(desk, uuid4(), lot, " ")
    issue(desk, goods)
    with pytest.raises(NotHeld):
        actions.release_lot(desk_of(pharmacy, pharmacy.pharmacist), uuid4(), lot, "放行")


def test_a_stranger_sees_and_changes_nothing(facility_app, center_app, pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    recall, _ = issue(desk, goods)
    stranger = make_insured_pharmacy(facility_app, center_app, name="三号药店")
    foreign, lot = desk_of(stranger), lot_of(pharmacy, goods)

    for act in (
        lambda: actions.acknowledge_recall(foreign, recall),
        lambda: actions.report_recall(foreign, recall, "看看"),
        lambda: actions.close_recall(foreign, recall, "看看"),
        lambda: actions.hold_lot(foreign, uuid4(), lot, "看看"),
        lambda: actions.release_lot(foreign, uuid4(), lot, "看看"),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(RecallIncomplete):
        actions.issue_recall(foreign, uuid4(), wanted(goods))


def test_each_level_has_its_hours():
    assert set(rules.LEVELS) == set(rules.HOURS)
