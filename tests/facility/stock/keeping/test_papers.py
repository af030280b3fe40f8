"""Stock papers: one person's acts post at once, two people's wait for the second, and the rulebook holds both times."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.errors import DocumentChanged, NotFound
from app.facility.stock import actions as shelf
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone, StockNotMovable
from app.facility.stock.keeping import actions, drawers, rules
from app.facility.stock.keeping.errors import (
    AlreadyDecided,
    DecisionNeedsNote,
    DrawerKnown,
    DrawerNotReady,
    HolderReleases,
    NotYours,
    OpenedPack,
    PaperNotTaken,
    SecondPersonNeeded,
)
from app.facility.stock.keeping.rules import Line, Paper
from tests.facility.stock.keeping.conftest import ask, facts, held, lot_of, packs_in, paper_of, state_of
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, make_product, one, sell


@pytest.fixture
def boss(pharmacy, desk):
    return desk_of(pharmacy, pharmacy.owner)


@pytest.fixture
def druggist(pharmacy, desk):
    return desk_of(pharmacy, pharmacy.pharmacist)


def plain(pharmacy, packs=4, **more):
    return make_goods(pharmacy, packs, coded=False, trace_required=False, **more)


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
    goods, document = plain(pharmacy), uuid4()
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
    goods = plain(pharmacy)
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
    goods = plain(pharmacy, zone="QUARANTINE")

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
    goods, document = plain(pharmacy, zone="QUARANTINE"), uuid4()
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
    goods, document = plain(pharmacy, zone="QUARANTINE"), uuid4()
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


def test_what_cannot_be_posted_is_not_even_asked(pharmacy, desk):
    goods = plain(pharmacy)
    before = facts(pharmacy)

    with pytest.raises(NotEnoughInZone):
        ask(desk, "return_out", Line(lot_of(pharmacy, goods), 5 * goods.pack_size, "SALEABLE"))

    assert facts(pharmacy) == before
    assert one(pharmacy, "select count(*) as n from stock_document where tenant_id = %(t)s").n == 0


def test_asking_tells_nobody_and_moves_nothing(pharmacy, desk):
    goods = plain(pharmacy)

    ask(desk, "return_out", Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE"))

    assert facts(pharmacy) == []
    assert packs_in(pharmacy, goods, "SALEABLE") == 4
    assert one(pharmacy, "select count(*) as n from stock_movement where tenant_id = %(t)s and kind = 'PR'").n == 0


def test_two_deciders_at_once_post_it_once(facility_app, pharmacy, desk, druggist, boss):
    goods, document = plain(pharmacy, zone="QUARANTINE"), uuid4()
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
    goods, document = plain(pharmacy), uuid4()
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "REJECT")

    def send(_):
        with facility_app.app_context():
            return ask(desk, "reject", line, document=document)

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(send, range(4)))

    assert len(answers) == 1
    assert packs_in(pharmacy, goods, "REJECT") == 1


def test_a_stranger_s_paper_is_no_paper(pharmacy, desk, facility_app, center_app):
    goods, document = plain(pharmacy, zone="QUARANTINE"), uuid4()
    ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), document=document)
    stranger = desk_of(other := make_insured_pharmacy(facility_app, center_app), other.owner)

    with pytest.raises(NotFound):
        actions.decide_document(stranger, document, yes=True)
    with pytest.raises(NotFound):
        actions.withdraw_document(stranger, document)
    with pytest.raises(StockNotMovable):
        ask(stranger, "hold", Line(lot_of(pharmacy, goods), 1, "SALEABLE", "QUARANTINE"))


# ---- what each act may not ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "from_zone", "to_zone"),
    [
        ("release", "SALEABLE", "SALEABLE"), ("release", "REJECT", "SALEABLE"), ("destroy", "SALEABLE", ""), ("use", "REJECT", ""), ("use", "QUARANTINE", ""),
        ("hold", "SALEABLE", "COLD"), ("reject", "SALEABLE", ""), ("set_out", "TRANSIT", "RETURN_OUT"), ("return_out", "SPLIT", ""),
    ],
)  # fmt: skip
def test_goods_go_only_from_where_and_to_where_their_act_says(pharmacy, desk, act, from_zone, to_zone):
    goods = plain(pharmacy, zone=from_zone if from_zone in {"SALEABLE", "QUARANTINE"} else "SALEABLE")

    with pytest.raises(StockNotMovable):
        ask(desk, act, Line(lot_of(pharmacy, goods), goods.pack_size, from_zone, to_zone))


@pytest.mark.parametrize(
    ("act", "to_zone", "may"),
    [
        ("use", "", False),
        ("hold", "QUARANTINE", True),
        ("reject", "REJECT", True),
        ("set_out", "RETURN_OUT", True),
        ("return_out", "", True),
    ],
)
def test_expired_goods_are_set_aside_or_handed_back_never_used(pharmacy, desk, monkeypatch, act, to_zone, may):
    goods = plain(pharmacy, expires_in=1)
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", to_zone)

    if may:
        assert ask(desk, act, line).number
    else:
        with pytest.raises(StockNotMovable):
            ask(desk, act, line)


def test_expired_goods_are_not_released(pharmacy, desk, monkeypatch):
    goods = plain(pharmacy, expires_in=1, zone="QUARANTINE")
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)

    with pytest.raises(StockNotMovable):
        ask(desk, "release", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE", "SALEABLE"))


def test_used_goods_leave_with_their_codes(pharmacy, desk):
    goods = make_goods(pharmacy, 2)

    ask(desk, "use", Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "", goods.codes[:1]))

    assert state_of(pharmacy, goods.codes[0])[0] == "SOLD"
    assert facts(pharmacy)[-1]["lines"][0]["kind"] == "MX"
    check_books(pharmacy)


def test_an_opened_pack_does_not_go_back_among_whole_ones(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    lot = lot_of(pharmacy, goods)
    shelf.open_pack(desk, goods.product_id, goods.codes[0])
    sell(desk, goods.codes[1])
    whole = plain(pharmacy, zone="QUARANTINE")

    with pytest.raises(OpenedPack):
        ask(desk, "release", Line(lot_of(pharmacy, whole), 3, "QUARANTINE", "SALEABLE"))
    ask(desk, "hold", Line(lot, goods.pack_size, "SPLIT", "QUARANTINE", goods.codes[:1]))
    assert ask(desk, "release", Line(lot, goods.pack_size, "QUARANTINE", "SPLIT", goods.codes[:1])).state == "asked"


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""}, {"reason": "随便"}, {"reason": rules.OTHER}, {"note": "长" * 201},
        {"record": {}}, {"record": {"method": "埋了", "witness": "003", "place": "后院"}}, {"record": {"method": "焚烧", "witness": "长" * 201, "place": "后院"}},
    ],
)  # fmt: skip
def test_a_paper_says_everything_or_is_refused(pharmacy, desk, changes):
    goods = plain(pharmacy, zone="QUARANTINE")

    with pytest.raises(PaperNotTaken):
        ask(desk, "destroy", Line(lot_of(pharmacy, goods), goods.pack_size, "QUARANTINE"), **changes)

    assert packs_in(pharmacy, goods, "QUARANTINE") == 4


def test_a_paper_without_lines_with_too_many_or_of_no_known_act_is_refused(desk):
    line = Line(1, 1, "SALEABLE", "QUARANTINE")
    for paper in (
        Paper("hold", (), rules.REASONS["hold"][0]),
        Paper("sell", (line,), "养护发现可疑"),
        Paper("correct", (line,), rules.REASONS["correct"][0]),
        Paper("hold", (line, line), rules.REASONS["hold"][0]),
        Paper("hold", (Line(1, 0, "SALEABLE", "QUARANTINE"),), rules.REASONS["hold"][0]),
        Paper("hold", tuple(Line(n, 1, "SALEABLE", "QUARANTINE") for n in range(201)), rules.REASONS["hold"][0]),
    ):
        with pytest.raises(PaperNotTaken):
            actions.ask_document(desk, uuid4(), paper)


def test_every_act_offered_has_its_words_reasons_and_fields():
    for act in rules.OFFERED:
        assert rules.REASONS[act][-1] == rules.OTHER
        assert rules.WORDS[act]
        assert rules.HINTS[act]
        assert act in rules.FIELDS
        assert rules.deciders(act)
        assert rules.targets(act) or act in {"destroy", "return_out", "use", "drawer_loss"}


# ---- herb drawers ----------------------------------------------------------------------------------------------------


def herb(pharmacy, **more):
    product = more.pop("product_id", None) or make_product(
        pharmacy,
        rx_class="HERB",
        generic_name="甘草片",
        pack_unit="千克",
        base_unit="0.01克",
        pack_size=100_000,
        trace_required=False,
    )
    return make_goods(pharmacy, 2, coded=False, product_id=product, **more)


def fill(desk, pharmacy, goods, second, quantity=50_000, **record):
    told = {"drawer": "A-1 甘草", "cleaned": "已清斗", "matched": "斗名与实物一致"} | record
    return ask(
        desk, "fill_drawer", Line(lot_of(pharmacy, goods), quantity, "SALEABLE", "SPLIT"), second=second, record=told
    )


def test_a_drawer_is_filled_by_two_and_remembers_its_lot(pharmacy, desk, druggist):
    goods = herb(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草", goods.product_id)
    with pytest.raises(DrawerKnown):
        drawers.add_drawer(desk, "A-1 甘草")

    answer = fill(desk, pharmacy, goods, druggist.staff_id)

    assert answer.state == "posted"
    drawer = one(pharmacy, "select * from herb_drawer where tenant_id = %(t)s")
    assert (drawer.lot_id, drawer.cleaned_on) == (lot_of(pharmacy, goods), clock.business_date())
    assert facts(pharmacy)[-1]["lines"][0]["kind"] == "HB"
    check_books(pharmacy)


def test_a_new_lot_needs_a_clean_drawer_and_the_right_name(pharmacy, desk, druggist):
    goods = herb(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草", goods.product_id)
    fill(desk, pharmacy, goods, druggist.staff_id)
    other, wrong = herb(pharmacy, product_id=goods.product_id), herb(pharmacy)

    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, other, druggist.staff_id, cleaned="同一批号，未清斗")
    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, wrong, druggist.staff_id)
    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, goods, druggist.staff_id, drawer="B-9")
    assert fill(desk, pharmacy, goods, druggist.staff_id, cleaned="同一批号，未清斗").state == "posted"
    assert fill(desk, pharmacy, other, druggist.staff_id).state == "posted"


def test_only_herbs_go_into_drawers(pharmacy, desk, druggist):
    goods = plain(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草")

    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, goods, druggist.staff_id, quantity=goods.pack_size)


def test_an_emptied_drawer_holds_nothing(pharmacy, desk, druggist):
    goods = herb(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草", goods.product_id)
    fill(desk, pharmacy, goods, druggist.staff_id)
    line = Line(lot_of(pharmacy, goods), 50_000, "SPLIT")

    ask(desk, "drawer_loss", line, second=druggist.staff_id, record={"drawer": "A-1 甘草", "emptied": "斗已清空"})

    assert one(pharmacy, "select lot_id from herb_drawer where tenant_id = %(t)s").lot_id is None
    assert packs_in(pharmacy, goods, "SPLIT") == 0
    check_books(pharmacy)


@pytest.mark.parametrize("name", ["", " ", "长" * 21, "a\x00b"])
def test_a_drawer_has_a_short_name(desk, name):
    with pytest.raises(DrawerNotReady):
        drawers.add_drawer(desk, name)
