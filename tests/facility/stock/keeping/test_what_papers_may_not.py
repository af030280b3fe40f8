"""What each act may not do with goods, and what a paper must say."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.stock import actions as shelf
from app.facility.stock.errors import StockNotMovable
from app.facility.stock.keeping import actions, rules
from app.facility.stock.keeping.errors import (
    OpenedPack,
    PaperNotTaken,
)
from app.facility.stock.keeping.rules import Line, Paper
from tests.facility.stock.keeping.conftest import ask, facts, lot_of, packs_in, state_of
from tests.factories.shop import check_books, make_goods, plain, sell


@pytest.mark.parametrize(
    ("act", "from_zone", "to_zone"),
    [
        ("release", "SALEABLE", "SALEABLE"), ("release", "REJECT", "SALEABLE"), ("destroy", "SALEABLE", ""), ("use", "REJECT", ""), ("use", "QUARANTINE", ""),
        ("hold", "SALEABLE", "COLD"), ("reject", "SALEABLE", ""), ("set_out", "TRANSIT", "RETURN_OUT"), ("return_out", "SPLIT", ""),
    ],
)  # fmt: skip
def test_goods_go_only_from_where_and_to_where_their_act_says(pharmacy, desk, act, from_zone, to_zone):
    goods = plain(pharmacy, 4, zone=from_zone if from_zone in {"SALEABLE", "QUARANTINE"} else "SALEABLE")

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
    goods = plain(pharmacy, 4, expires_in=1)
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    line = Line(lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", to_zone)

    if may:
        assert ask(desk, act, line).number
    else:
        with pytest.raises(StockNotMovable):
            ask(desk, act, line)


def test_expired_goods_are_not_released(pharmacy, desk, monkeypatch):
    goods = plain(pharmacy, 4, expires_in=1, zone="QUARANTINE")
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
    whole = plain(pharmacy, 4, zone="QUARANTINE")

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
    goods = plain(pharmacy, 4, zone="QUARANTINE")

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
