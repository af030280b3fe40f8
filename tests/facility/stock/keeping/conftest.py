"""A pharmacy with people at their browsers, and short names for asking what its goods became."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from app.core import tenancy
from app.facility.stock.keeping import actions
from app.facility.stock.keeping.rules import REASONS, Line, Paper
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import desk_of, one, open_shift


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app)


@pytest.fixture
def desk(facility_app, pharmacy):
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        open_shift(desk)
        yield desk


@pytest.fixture
def boss(pharmacy, desk):
    return desk_of(pharmacy, pharmacy.owner)


@pytest.fixture
def druggist(pharmacy, desk):
    return desk_of(pharmacy, pharmacy.pharmacist)


RECORDS = {
    "release": {"finding": "外包装擦拭后完好"},
    "destroy": {"method": "焚烧", "witness": "003", "place": "后院", "handed_to": ""},
    "return_out": {"supplier": "试药批发公司", "taken_by": "SF123"},
    "use": {"order": "Z-17"},
    "fill_drawer": {"drawer": "A-1 甘草", "cleaned": "已清斗", "matched": "斗名与实物一致"},
    "drawer_loss": {"drawer": "A-1 甘草", "emptied": "斗里还有"},
}


def lot_of(pharmacy, goods):
    return one(
        pharmacy, "select id from lot where tenant_id = %(t)s and product_id = %(p)s and lot_number = %(l)s order by id",
        p=goods.product_id, l=goods.lot_number,
    ).id  # fmt: skip


def packs_in(pharmacy, goods, zone):
    """Base units of a product in a zone, as packs."""
    row = one(
        pharmacy,
        "select coalesce(sum(on_hand), 0)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s and zone = %(z)s",
        p=goods.product_id,
        z=zone,
    )
    return row.n / goods.pack_size


def state_of(pharmacy, code):
    row = one(pharmacy, "select state, zone from trace_code where tenant_id = %(t)s and code = %(c)s", c=code)
    return row.state, row.zone


def paper_of(pharmacy, document):
    return one(pharmacy, "select * from stock_document where tenant_id = %(t)s and id = %(d)s", d=document)


def facts(pharmacy, kind="stock.moved"):
    row = one(
        pharmacy,
        "select json_agg(convert_from(body, 'UTF8') order by number) as bodies from outbox where tenant_id = %(t)s and kind = %(k)s",
        k=kind,
    )
    return [json.loads(body) for body in row.bodies or []]


def ask(desk, act, *lines, document=None, second=None, **changes):
    """A paper of an act with everything its record needs."""
    values = {"reason": REASONS[act][0], "record": RECORDS.get(act, {})} | changes
    return actions.ask_document(desk, document or uuid4(), Paper(act, lines, **values), second)


def held(desk, pharmacy, goods, packs=1, codes=None):
    """Goods put into quarantine by this desk."""
    taken = goods.codes[:packs] if codes is None else codes
    line = Line(lot_of(pharmacy, goods), packs * goods.pack_size, "SALEABLE", "QUARANTINE", taken)
    return ask(desk, "hold", line)
