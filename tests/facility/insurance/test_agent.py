"""Buying for another: the agent's phone stays at the pharmacy, sealed; the screen shows it masked, the center never hears it."""

from uuid import uuid4

import msgspec
import pytest

from app.core import personal
from app.core.errors import Refusal
from app.facility.counter import baskets, settling
from app.facility.insurance import identify
from app.facility.insurance.errors import AgentNeeded
from tests.center.world import some_certno
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.shop import fill_basket, one

PHONE = "13812345678"


def agent(**changes):
    return {"name": "张建明", "certno": some_certno("1", "19800101"), "relation": "spouse", "reason": "agent"} | changes


def test_the_phone_is_kept_sealed_and_shown_masked(pharmacy, desk, center_app):
    goods, person = make_covered_goods(center_app, pharmacy), make_insured(center_app)
    basket, _ = fill_basket(desk, goods.codes[0])
    read = identify.identify(desk, uuid4(), person.card, "card", "agent", agent(phone=PHONE))
    baskets.set_person(desk, basket, read)
    baskets.preview(desk, basket)

    outcome = settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version, seen=True)

    kept = one(pharmacy, "select * from identification where tenant_id = %(t)s and id = %(i)s", i=read)
    unsealed = msgspec.json.decode(personal.unseal_bytes(str(pharmacy.tenant_id), bytes(kept.agent_sealed)))
    assert outcome.kind == "settled"
    assert unsealed["phone"] == PHONE
    assert kept.shown["agent"] == "张*明 138****5678"
    assert PHONE not in str(kept.shown)
    told = at_center(center_app, "select agent_sealed from settlement where psn_no = %(p)s", p=person.psn_no)[0]
    assert PHONE not in personal.unseal("center", bytes(told.agent_sealed))
    assert identify.agent_of(desk, kept).keys() == agent().keys()


def test_without_a_phone_only_the_name_is_shown(pharmacy, desk, center_app):
    read = identify.identify(desk, uuid4(), make_insured(center_app).card, "card", "agent", agent())

    kept = one(pharmacy, "select shown from identification where tenant_id = %(t)s and id = %(i)s", i=read)
    assert kept.shown["agent"] == "张*明"


@pytest.mark.parametrize("phone", ["1", "138a2345678", "1" * 16, "１３８１２３４５６７８x"])
def test_an_odd_phone_is_refused_before_anything_is_asked(desk, phone):
    with pytest.raises(AgentNeeded) as refused:
        identify.identify(desk, uuid4(), "N20260202", "card", "agent", agent(phone=phone))

    assert isinstance(refused.value, Refusal)
    assert "电话" in refused.value.message


def test_short_numbers_are_masked_too():
    assert personal.mask_phone("87654321") == "876****4321"
    assert personal.mask_phone("8765432") == "8****32"
    assert personal.mask_phone("") == ""
