"""Stock papers: one person's acts post at once, two people's wait for the second, and the rulebook holds both times."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.db import transaction
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone, StockNotMovable
from app.facility.stock.keeping import actions, rules
from app.facility.stock.keeping.errors import (
    AlreadyDecided,
    DecisionNeedsNote,
    HolderReleases,
    NotTheirGoods,
    NotYours,
    SecondPersonNeeded,
)
from app.facility.stock.keeping.rules import Line
from app.facility.stock.purchasing import deliveries
from app.facility.stock.rules import ReceiptLine
from app.facility.stock.suppliers import account_queries
from tests.facility.stock.keeping.conftest import ask, facts, held, lot_of, packs_in, paper_of, state_of
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, one, plain, sell
from tests.factories.supply import house_supplier


@pytest.mark.parametrize(("act", "zone"), [("hold", "QUARANTINE"), ("reject", "REJECT"), ("set_out", "RETURN_OUT")])
def test_goods_are_set_aside_by_one_person_at_once(pharmacy, desk, act, zone):
    goods = make_goods(pharmacy, 3)
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", zone, goods.codes[:1])

    document = uuid4()
    answer = ask(desk, act, line, document=document)

    assert (answer.state, packs_in(pharmacy, goods, zone), packs_in(pharmacy, goods, "SALEABLE")) == ("posted", 1, 2)
    assert state_of(pharmacy, goods.codes[0]) == ("FROZEN", zone)
    told = facts(pharmacy)[-1]
    assert (told["act"], told["number"], told["reason"], told["approver"]) == (
        act,
        answer.number,
        rules.REASONS[act][0],
        None,
    )
    assert (
        one(
            pharmacy, "select code from stock_document_code where tenant_id = %(t)s and document_id = %(d)s", d=document
        ).code
        == goods.codes[0]
    )
    check_books(pharmacy)


def test_the_same_paper_twice_is_one_and_another_under_its_id_is_refused(pharmacy, desk):
    goods, document = plain(pharmacy, 4), uuid4()
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "REJECT")

    first = ask(desk, "reject", line, document=document)
    again = ask(desk, "reject", line, document=document)

    assert first == again
    assert packs_in(pharmacy, goods, "REJECT") == 1
    with pytest.raises(DocumentChanged):
        ask(desk, "reject", line, document=document, note="另一个")


def test_codes_that_went_along_unnamed_stand_on_the_paper(pharmacy, desk):
    goods, document = make_goods(pharmacy, 3), uuid4()

    ask(desk, "reject", Line(lot_of(pharmacy, goods), 3 * goods.pack_size, "SALEABLE", "REJECT"), document=document)

    count = one(
        pharmacy,
        "select count(*) as n from stock_document_code where tenant_id = %(t)s and document_id = %(d)s",
        d=document,
    )
    assert count.n == 3


# ---- the second person -----------------------------------------------------------------------------------------------


def test_a_release_waits_and_another_person_lets_it_happen(pharmacy, desk, druggist):
    goods = make_goods(pharmacy, 2)
    held(desk, pharmacy, goods)
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE", "SALEABLE", goods.codes[:1])
    document = uuid4()

    asked = ask(desk, "release", line, document=document)

    assert (asked.state, packs_in(pharmacy, goods, "QUARANTINE")) == ("asked", 1)
    answer = actions.decide_document(druggist, document, yes=True)
    assert answer == actions.decide_document(druggist, document, yes=True)
    assert (answer.state, answer.number) == ("posted", asked.number)
    assert state_of(pharmacy, goods.codes[0]) == ("IN_STOCK", "SALEABLE")
    told = facts(pharmacy)[-1]
    assert told["operator"].startswith("002")
    assert told["approver"].startswith("003")
    assert "药师" not in told["approver"]
    sell(desk, goods.codes[0])
    check_books(pharmacy)


def test_who_asked_cannot_decide_and_who_held_cannot_release(pharmacy, desk, boss, druggist):
    goods = make_goods(pharmacy, 2)
    held(boss, pharmacy, goods)
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE", "SALEABLE", goods.codes[:1])
    document = uuid4()
    ask(desk, "release", line, document=document)

    with pytest.raises(SecondPersonNeeded):
        actions.decide_document(desk, document, yes=True)
    with pytest.raises(HolderReleases):
        actions.decide_document(boss, document, yes=True)
    with pytest.raises(HolderReleases):
        ask(desk, "release", line, second=boss.staff_id)
    assert actions.decide_document(druggist, document, yes=True).state == "posted"


def test_the_second_person_at_the_same_screen_posts_at_once(pharmacy, desk, druggist):
    goods = plain(pharmacy, 4)
    lot = lot_of(pharmacy, goods)
    ask(desk, "reject", Line(lot, goods.pack_size, "SALEABLE", "REJECT"))
    document = uuid4()

    answer = ask(desk, "destroy", Line(lot, goods.pack_size, "REJECT"), document=document, second=druggist.staff_id)

    assert answer.state == "posted"
    assert paper_of(pharmacy, document).decided_by == druggist.staff_id
    assert paper_of(pharmacy, document).record["method"] == "焚烧"
    assert packs_in(pharmacy, goods, "REJECT") == 0
    with pytest.raises(SecondPersonNeeded):
        ask(desk, "destroy", Line(lot, goods.pack_size, "REJECT"), second=desk.staff_id)


def test_a_stranger_is_no_second_person(pharmacy, desk, facility_app, center_app):
    other = make_insured_pharmacy(facility_app, center_app)
    goods = plain(pharmacy, 4, zone="QUARANTINE")

    with pytest.raises(NotFound):
        ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), second=other.owner)

    assert packs_in(pharmacy, goods, "QUARANTINE") == 4


def test_destroyed_packs_are_dead_for_good(pharmacy, desk, druggist):
    goods = make_goods(pharmacy, 2, zone="QUARANTINE")
    lot, document = lot_of(pharmacy, goods), uuid4()

    ask(desk, "destroy", Line(lot, goods.pack_size, "QUARANTINE", "", goods.codes[:1]), document=document)
    actions.decide_document(druggist, document, yes=True)

    assert state_of(pharmacy, goods.codes[0])[0] == "DESTROYED"
    with pytest.raises(CodesDoNotFit):
        ask(desk, "reject", Line(lot, goods.pack_size, "QUARANTINE", "REJECT", goods.codes[:1]))
    check_books(pharmacy)


def test_a_refused_paper_says_why_and_moves_nothing(pharmacy, desk, druggist, boss):
    goods, document = plain(pharmacy, 4, zone="QUARANTINE"), uuid4()
    ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), document=document)

    with pytest.raises(DecisionNeedsNote):
        actions.decide_document(druggist, document, yes=False)
    actions.decide_document(druggist, document, yes=False, note="还能退供应商")

    assert (paper_of(pharmacy, document).state, paper_of(pharmacy, document).decision_note) == (
        "refused",
        "还能退供应商",
    )
    assert packs_in(pharmacy, goods, "QUARANTINE") == 4
    with pytest.raises(AlreadyDecided):
        actions.decide_document(boss, document, yes=True)


def test_who_asked_takes_it_back_and_nobody_else(pharmacy, desk, druggist):
    goods, document = plain(pharmacy, 4, zone="QUARANTINE"), uuid4()
    ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), document=document)

    with pytest.raises(NotYours):
        actions.withdraw_document(druggist, document)
    assert actions.withdraw_document(desk, document).state == "withdrawn"
    with pytest.raises(AlreadyDecided):
        actions.decide_document(druggist, document, yes=True)


def test_what_waits_is_checked_again(pharmacy, desk, druggist):
    goods, document = make_goods(pharmacy, 1), uuid4()
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "", goods.codes)
    ask(desk, "return_out", line, document=document)

    sell(desk, goods.codes[0])

    with pytest.raises(NotEnoughInZone):
        actions.decide_document(druggist, document, yes=True)
    assert paper_of(pharmacy, document).state == "asked"
    check_books(pharmacy)


def test_goods_go_back_to_who_brought_them_and_are_owed_no_more(pharmacy, desk, druggist):
    goods = plain(pharmacy, 4)
    one(
        pharmacy,
        "update lot set cost_price = 8.5 where tenant_id = %(t)s and product_id = %(p)s returning id",
        p=goods.product_id,
    )
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE")

    with pytest.raises(NotTheirGoods) as refused:
        ask(desk, "return_out", line, record={"supplier": "随便写的公司", "taken_by": ""})

    assert "试药批发公司送来的" in refused.value.message
    assert packs_in(pharmacy, goods, "SALEABLE") == 4
    ask(desk, "return_out", line, second=pharmacy.pharmacist)
    owed = one(pharmacy, "select kind, amount_fen from supplier_entry where tenant_id = %(t)s order by id desc limit 1")
    assert (owed.kind, owed.amount_fen) == ("return", -850)
    check_books(pharmacy)


def test_what_was_rejected_on_arrival_and_kept_was_never_owed(pharmacy, desk, druggist):
    """Rejects go back first; of what was accepted the account falls, and the line of the account has the paper's number."""
    goods = plain(pharmacy, 4)
    lot = one(pharmacy, "update lot set cost_price = 8.5 where tenant_id = %(t)s and product_id = %(p)s returning id, expires_on", p=goods.product_id)  # fmt: skip
    rejected = ReceiptLine(goods.product_id, goods.lot_number, lot.expires_on, 2, "REJECT", cost_price=Decimal("8.5"))
    deliveries.receive_purchase(desk, uuid4(), house_supplier(pharmacy), [rejected])

    ask(desk, "return_out", Line(lot.id, 2 * goods.pack_size, "REJECT"), second=pharmacy.pharmacist)
    assert returns(pharmacy) == []
    ask(desk, "return_out", Line(lot.id, goods.pack_size, "SALEABLE"), second=pharmacy.pharmacist)
    assert [row.amount_fen for row in returns(pharmacy)] == [-850]
    with tenancy.as_tenant(pharmacy.tenant_id):
        newest = account_queries.list_entries(house_supplier(pharmacy))[0]
    assert newest.number == paper_of(pharmacy, newest.document_id).number
    check_books(pharmacy)


def returns(pharmacy):
    with transaction(settings=pharmacy.scope) as hot:
        return list(hot.run_last("select amount_fen from supplier_entry where tenant_id = %(t)s and kind = 'return' order by id", {"t": pharmacy.tenant_id}))  # fmt: skip


def test_what_cannot_be_posted_is_not_even_asked(pharmacy, desk):
    goods = plain(pharmacy, 4)
    before = facts(pharmacy)

    with pytest.raises(NotEnoughInZone) as refused:
        ask(desk, "return_out", Line(lot_of(pharmacy, goods), 5 * goods.pack_size, "SALEABLE"))
    assert "只有 4 盒可动，要动 5" in refused.value.message

    assert facts(pharmacy) == before
    assert one(pharmacy, "select count(*) as n from stock_document where tenant_id = %(t)s").n == 0


def test_asking_tells_nobody_and_moves_nothing(pharmacy, desk):
    goods = plain(pharmacy, 4)

    ask(desk, "return_out", Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE"))

    assert facts(pharmacy) == []
    assert packs_in(pharmacy, goods, "SALEABLE") == 4
    assert one(pharmacy, "select count(*) as n from stock_movement where tenant_id = %(t)s and kind = 'PR'").n == 0


def test_two_deciders_at_once_post_it_once(facility_app, pharmacy, desk, druggist, boss):
    goods, document = plain(pharmacy, 4, zone="QUARANTINE"), uuid4()
    ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), document=document)

    def decide(who):
        with facility_app.app_context():
            try:
                return actions.decide_document(who, document, yes=True).state
            except AlreadyDecided:
                return "late"

    with ThreadPoolExecutor(2) as pool:
        ended = sorted(pool.map(decide, [druggist, boss]))

    assert ended == ["late", "posted"]
    assert packs_in(pharmacy, goods, "QUARANTINE") == 3
    assert len(facts(pharmacy)) == 1
    check_books(pharmacy)


def test_one_paper_sent_by_two_threads_is_one(facility_app, pharmacy, desk):
    goods, document = plain(pharmacy, 4), uuid4()
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "REJECT")

    def send(_):
        with facility_app.app_context():
            return ask(desk, "reject", line, document=document)

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(send, range(4)))

    assert len(answers) == 1
    assert packs_in(pharmacy, goods, "REJECT") == 1


def test_a_stranger_s_paper_is_no_paper(pharmacy, desk, facility_app, center_app):
    goods, document = plain(pharmacy, 4, zone="QUARANTINE"), uuid4()
    ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), document=document)
    stranger = desk_of(other := make_insured_pharmacy(facility_app, center_app), other.owner)

    with pytest.raises(NotFound):
        actions.decide_document(stranger, document, yes=True)
    with pytest.raises(NotFound):
        actions.withdraw_document(stranger, document)
    with pytest.raises(StockNotMovable):
        ask(stranger, "hold", Line(lot_of(pharmacy, goods), 1, "SALEABLE", "QUARANTINE"))
