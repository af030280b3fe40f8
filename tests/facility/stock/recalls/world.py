"""A small chain with goods of one lot in two shops, and what the tests ask of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import msgspec

from app.core import clock
from app.facility.db import transaction
from app.facility.organizations import actions as organizations
from app.facility.stock.recalls import actions, rules
from tests.factories.people import make_code


def second_shop(pharmacy, name="二号药店"):
    """Another facility of the same organization, as somebody who works there sees it."""
    made = organizations.open_facility(organizations.NewFacility(make_code(), name, "330212", "鄞州区"))
    return replace(
        pharmacy, facility_id=made.facility_id, code=made.national_code, name=name, center_secret=made.center_secret
    )


def wanted(goods, **changes):
    return rules.Wanted(**{"product_id": goods.product_id, "lots": (goods.lot_number,), "level": 1, "reason": "有异物", "instructions": "立即停售", **changes})  # fmt: skip


def issue(desk, goods, **changes):
    recall = uuid4()
    return recall, actions.issue_recall(desk, recall, wanted(goods, **changes))


def rows(pharmacy, statement, **params):
    with transaction(settings=pharmacy.scope) as hot:
        return list(hot.run_last(statement, {"t": pharmacy.tenant_id, "f": pharmacy.facility_id, **params}))


def holds(pharmacy, goods):
    """The hold of each lot of a product: facility → hold."""
    found = rows(
        pharmacy,
        "select facility_id, hold from lot where product_id = %(p)s order by facility_id, id",
        p=goods.product_id,
    )
    return [(row.facility_id, row.hold) for row in found]


def facts(pharmacy, kind="lot.held"):
    """The bodies of this facility's facts of a kind, in order."""
    found = rows(pharmacy, "select body from outbox where facility_id = %(f)s and kind = %(k)s order by number", k=kind)
    return [msgspec.json.decode(bytes(row.body)) for row in found]


def changes(pharmacy, goods):
    found = rows(
        pharmacy,
        """select c.before, c.after, c.reason, c.staff_id from lot_change c join lot l on l.tenant_id = c.tenant_id and l.id = c.lot_id
        where l.product_id = %(p)s and c.facility_id = %(f)s order by c.id""",
        p=goods.product_id,
    )
    return [tuple(row) for row in found]


def an_issue(goods_national, lots, **changes):
    """A body of recall.issued."""
    at = clock.now()
    return {
        "recall": str(uuid4()), "number": f"ZH{uuid4().hex[:6]}", "level": 1, "issued_at": at.isoformat(), "deadline_at": at.isoformat(), "issuer": "鄞州区医保中心",
        "product": {"name": "试药", "national": goods_national}, "reason": "抽检不合格", "instructions": "停售封存，等待召回", "lots": list(lots), **changes,
    }  # fmt: skip


def one_lot(pharmacy, goods):
    """The id of this facility's lot of a product."""
    return rows(
        pharmacy, "select id from lot where facility_id = %(f)s and product_id = %(p)s order by id", p=goods.product_id
    )[0].id
