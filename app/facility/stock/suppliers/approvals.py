"""First approval 首营审批 and its yearly re-check: one person asks, another one decides."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg import errors as pg

from app.core import clock, trail
from app.core.errors import DocumentChanged, NotFound
from app.facility.db import hot_action, transaction
from app.facility.organizations import parameters
from app.facility.stock.suppliers import queries, rules, statements
from app.facility.stock.suppliers.actions import AUDIT, digest_of
from app.facility.stock.suppliers.errors import (
    AlreadyDecided,
    DecisionIncomplete,
    NothingToAsk,
    OwnRequest,
    PapersMissing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

MOST_PRODUCTS = 20_000


@hot_action
def ask_supplier(desk: Desk, request_id: UUID, supplier_id: int, note: str = "") -> None:
    """Ask for a supplier's approval, or for its re-check when it is approved (首营企业送审). Raises NothingToAsk, NotFound."""
    note = note.strip()[:200]
    with transaction(settings=desk.settings) as hot:
        if _is_known(hot, desk, request_id, digest := digest_of("supplier", supplier_id, note)):
            return
        keys = {**desk.keys, "request": request_id, "supplier": supplier_id}
        now = hot.run(statements.LOCK_SUPPLIER, keys)
        if not now:
            raise NotFound
        if now[0].state == "suspended":
            raise NothingToAsk
        kind = "recheck" if now[0].state == "approved" else "first"
        _open(hot, keys, digest, "supplier", kind, note)
        if not hot.run(statements.ASK_SUPPLIER, keys):
            raise NothingToAsk
        hot.run_last(AUDIT, trail.row("approval.ask", f"supplier:{supplier_id}", kind=kind))


@hot_action
def ask_products(
    desk: Desk, request_id: UUID, product_ids: Sequence[int] = (), *, came_before: datetime | None = None,
    recheck: bool = False, note: str = "",
) -> int:  # fmt: skip
    """Ask for products named, or for all that came into the catalog before a moment (首营品种送审); returns how many.

    Approved ones and those that wait are left out; with `recheck` the approved ones are meant. Raises NothingToAsk.
    """
    note, ids = note.strip()[:200], sorted(set(product_ids))[:MOST_PRODUCTS]
    kind = "recheck" if recheck else "first"
    with transaction(settings=desk.settings) as hot:
        if _is_known(hot, desk, request_id, digest := digest_of("product", ids, came_before, kind, note)):
            return 0
        keys = {**desk.keys, "request": request_id}
        _open(hot, keys, digest, "product", kind, note)
        asked = hot.run(statements.ASK_PRODUCTS, {**keys, "products": ids, "before": came_before, "kind": kind})
        if not asked:
            raise NothingToAsk
        hot.run_last(AUDIT, trail.row("approval.ask", f"request:{request_id}", kind=kind, products=len(asked)))
        return len(asked)


def _is_known(hot: Hot, desk: Desk, request_id: UUID, digest: bytes) -> bool:
    known = hot.run(statements.KNOWN_REQUEST, {**desk.keys, "request": request_id})
    if known and bytes(known[0].digest) != digest:
        raise DocumentChanged
    return bool(known)


def _open(hot: Hot, keys: dict[str, Any], digest: bytes, subject: str, kind: str, note: str) -> None:
    values = {**keys, "digest": digest, "subject": subject, "kind": kind, "note": note, "at": clock.now()}
    try:
        hot.run(statements.INSERT_REQUEST, values)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin


@hot_action
def decide(
    desk: Desk, request_id: UUID, *, approved: bool, reason: str = "", chosen: Sequence[int] | None = None
) -> int:
    """Another person, pharmacist or owner, approves or refuses what was asked, all of it or the chosen lines (审批).

    A supplier whose papers are missing or have run out cannot be approved. What is approved is due again after
    `recheck_days`. Returns how many were decided. Raises OwnRequest, AlreadyDecided, DecisionIncomplete, PapersMissing, NotFound.
    """
    reason = reason.strip()[:200]
    if not approved and not reason:
        raise DecisionIncomplete(why="不通过时要写原因")
    if chosen is not None and not chosen:
        raise DecisionIncomplete(why="没有选中任何一项")
    due = clock.business_date() + timedelta(days=parameters.of(desk.tenant_id).days("recheck_days"))
    keys = {**desk.keys, "request": request_id, "at": clock.now(), "due": due}
    with transaction(settings=desk.settings) as hot:
        state = "approved" if approved else "refused"
        lines = sorted(set(chosen)) if chosen is not None else None
        made = hot.run(statements.DECIDE, {**keys, "state": state, "reason": reason, "lines": lines})
        if not made:
            raise _why_nothing(hot, desk, keys)
        if made[0].supplier_id and approved:
            _approve_supplier(hot, desk, {**keys, "supplier": made[0].supplier_id})
        elif made[0].product_id:
            hot.run(statements.KEEP_PRODUCTS, {**keys, "lines": [row.id for row in made]})
        hot.run_last(AUDIT, trail.row(f"approval.{state}", f"request:{request_id}", decided=len(made)))
        return len(made)


def _why_nothing(hot: Hot, desk: Desk, keys: dict[str, Any]) -> Exception:
    asked = hot.run(statements.REQUEST, keys)
    if not asked:
        return NotFound()
    return OwnRequest() if asked[0].waiting and asked[0].staff_id == desk.staff_id else AlreadyDecided()


def _approve_supplier(hot: Hot, desk: Desk, keys: dict[str, Any]) -> None:
    today = clock.business_date()
    supplier = queries.standing(hot, desk, keys["supplier"], [])[0]
    if problems := rules.paper_problems(supplier.name, supplier.papers, supplier.scope_codes, today):
        raise PapersMissing(name=supplier.name, problems=rules.together(problems))
    if not hot.run(statements.APPROVE_SUPPLIER, keys):
        raise AlreadyDecided  # Suspended meanwhile.
