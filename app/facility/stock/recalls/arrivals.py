"""Recalls that arrive as news of the center: applied by nobody's hand, in the transaction that takes the news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.tenancy import Desk
from app.facility.stock.ledger import as_json
from app.facility.stock.recalls import freezing, statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.hot import Hot
    from central_sync.news_contract import RecallClosed, RecallIssued
    from central_sync.puller import Place

NOBODY = 0  # Acts of the center have no person of ours; lists show them without a name.
CENTER = "中心下达"


def take_issued(hot: Hot, place: Place, body: RecallIssued) -> Sequence[Mapping[str, Any]]:
    """Freeze what the center calls back at this facility, show it until somebody has seen it, answer what was found."""
    desk, at = Desk(place.tenant_id, place.facility_id, NOBODY, CENTER), clock.now()
    product = body.product
    keys: dict[str, Any] = {
        **desk.keys, "recall": body.recall, "lots": body.lots, "only": place.facility_id, "why": f"{body.number} {body.reason}"[:200], "by": None,
        "at": at, "seen_at": None, "national": product.national or None, "approval": product.approval or None, "name": product.name,
        "maker": product.maker or None, "spec": product.spec or None,
    }  # fmt: skip
    known, matched = hot.run_all([(statements.KNOWN_PLACE, keys), (statements.MATCH, keys)])
    if known:
        return []
    keys["products"] = [row.id for row in matched]
    lots = [] if body.codes else freezing.freeze_lots(hot, keys).get(place.facility_id, [])
    moved, packs = freezing.set_packs_aside(hot, desk, place.facility_id, body.recall, at, body.codes, keys["why"], body.number) if body.codes else ([], [])  # fmt: skip
    described = {name: getattr(product, name) for name in ("name", "spec", "maker", "approval", "national")}
    head = {
        **keys, "origin": "center", "number": body.number, "level": body.level, "issuer": body.issuer, "product": as_json(described),
        "codes": body.codes, "reason": body.reason, "instructions": body.instructions, "issued_at": body.issued_at, "deadline_at": body.deadline_at,
        "started_at_facility": None, "digest": None,
    }  # fmt: skip
    hot.run(statements.WRITE, head)  # Another facility of the organization may have brought it already.
    if not body.codes:
        hot.run(statements.TARGETS, keys)
    freezing.write_places(hot, keys, {place.facility_id: lots}, [place.facility_id])
    told = freezing.held_fact(
        body.recall, body.number, at, CENTER, lots, reason=body.reason[:400], origin="center", packs=packs
    )
    return [*moved, told]


def take_closed(hot: Hot, place: Place, body: RecallClosed) -> Sequence[Mapping[str, Any]]:
    """The center ended a recall: what it froze at this facility may be sold again. A recall that never came here is passed over."""
    at = clock.now()
    keys = {
        "tenant": place.tenant_id, "recall": body.recall, "facility": place.facility_id, "only": place.facility_id, "at": at, "by": None,
        "why": "中心结束召回", "summary": body.summary,
    }  # fmt: skip
    if not hot.run(statements.KNOWN_PLACE, keys):
        return []
    freed = [row.id for row in hot.run_all([(statements.RELEASE, keys), (statements.END_TARGETS, keys)])[0]]
    hot.run(statements.CLOSE, keys)
    rows = hot.run(statements.LOTS_BY_ID, {**keys, "ids": freed})
    return [freezing.held_fact(body.recall, body.number, at, CENTER, rows, reason=body.summary[:400], act="released", origin="center")]  # fmt: skip
