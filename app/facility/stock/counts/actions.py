"""Leading a count: open it, close it, explain what differs, send it back, withdraw it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, money
from app.core.errors import DocumentChanged, NotFound, WrongInput, words
from app.facility.db import hot_action, transaction
from app.facility.organizations import parameters
from app.facility.stock import ledger
from app.facility.stock.counts import rules, statements
from app.facility.stock.counts.errors import (
    AlreadyBeingCounted,
    CountNotWaiting,
    NothingCounted,
    NothingToCount,
    NotYourCount,
    TooMuchToCount,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

STATE_WORDS = {"open": "还在点数", "closed": "已经提交", "approved": "已经审批", "withdrawn": "已经撤销"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: everything, one shelf, some products, or what is under special control."""

    kind: str
    shelf: str = ""
    products: tuple[int, ...] = ()


@hot_action
def open_count(desk: Desk, count_id: UUID, scope: Scope, *, blind: bool = True, note: str = "") -> str:
    """Open a count (盘点单) with all that lies in the scope as its list; returns its number.

    The same count again returns its number and changes nothing. Raises NothingToCount, TooMuchToCount,
    AlreadyBeingCounted, DocumentChanged.
    """
    _check(scope)
    digest = hashlib.sha256(msgspec.json.encode([scope, blind, note])).digest()
    keys = {
        **desk.keys, "count": count_id, "scope": scope.kind, "shelf": scope.shelf, "products": list(scope.products), "at": clock.now(),
        "today": clock.business_date(), "digest": digest, "blind": blind, "note": note,
    }  # fmt: skip
    try:
        with transaction(settings=desk.settings) as hot:
            if known := hot.run(statements.KNOWN, keys):
                return _same_or_refuse(known[0], digest)
            lines = hot.run(statements.OPEN_LINES, keys)[0].lines
            _some_but_not_too_many(lines)
            number = ledger.number_for(hot, desk, "P", clock.business_date())
            hot.run_last(statements.WRITE_COUNT, {**keys, "number": number, "lines": lines})
            return number
    except pg.UniqueViolation as taken:
        raise _stands_elsewhere(desk, keys) from taken


def _check(scope: Scope) -> None:
    bare = (scope.kind == "shelf" and not scope.shelf.strip()) or (scope.kind == "product" and not scope.products)
    if scope.kind not in rules.SCOPES or bare:
        raise WrongInput(what="盘点范围", why="没有选货架或品种")
    if len(scope.products) > rules.MOST_PRODUCTS:
        raise WrongInput(what="盘点范围", why=words("一次最多选 {most} 个品种", most=rules.MOST_PRODUCTS))


def _some_but_not_too_many(lines: int) -> None:
    if not lines:
        raise NothingToCount
    if lines > rules.MOST_LINES:
        raise TooMuchToCount(lines=lines, most=rules.MOST_LINES)


def _same_or_refuse(known: Any, digest: bytes) -> str:
    if bytes(known.digest) != digest:
        raise DocumentChanged
    return str(known.number)


def _stands_elsewhere(desk: Desk, keys: Mapping[str, Any]) -> Exception:
    """Say where a lot stands already; when it stands nowhere, the same count arrived twice at once."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.STANDS_IN, keys)
    if not rows:
        return pg.SerializationFailure()
    return AlreadyBeingCounted(name=rows[0].name, lot=rows[0].lot_number, number=rows[0].number)


def lock_head(hot: Hot, keys: Mapping[str, Any], *states: str, share: bool = False) -> Any:
    """The count, locked, in one of these states. Raises NotFound, CountNotWaiting."""
    rows = hot.run(statements.SHARE_HEAD if share else statements.LOCK_HEAD, keys)
    if not rows:
        raise NotFound
    if rows[0].state not in states:
        raise CountNotWaiting(number=rows[0].number, what=words(STATE_WORDS[rows[0].state]))
    return rows[0]


def _led_by(desk: Desk, head: Any, *, senior: bool) -> None:
    if head.staff_id != desk.staff_id and not senior:
        raise NotYourCount(number=head.number, who=head.leader)


@hot_action
def close_count(desk: Desk, count_id: UUID, *, rest_is_gone: bool = False, senior: bool = False) -> int:
    """End the counting and judge every counted line (提交); returns how many lines differ.

    Lines that nobody counted stay as they are, or count as nothing when `rest_is_gone`. Whoever leads may do it: who opened
    the count, or a senior. Raises NotYourCount, NothingCounted, CountNotWaiting.
    """
    keys = {**desk.keys, "count": count_id, "at": clock.now()}
    percent = parameters.of(desk.tenant_id).count("herb_tolerance")
    with transaction(settings=desk.settings) as hot:
        head = lock_head(hot, keys, "open")
        _led_by(desk, head, senior=senior)
        rows = judging_rows(hot, keys, rest_is_gone=rest_is_gone)
        if not rows:
            raise NothingCounted(number=head.number)
        verdicts = [_verdict(row, percent) for row in rows]
        hot.run(statements.WRITE_VERDICTS, {**keys, "verdicts": ledger.as_json(verdicts)})
        hot.run_last(statements.CLOSE, {**keys, "counted": len(rows)})
    return sum(1 for verdict in verdicts if verdict["difference"])


def judging_rows(hot: Hot, keys: Mapping[str, Any], *, rest_is_gone: bool = False) -> Sequence[Any]:
    """What every counted line is judged by, in one trip."""
    rest = [(statements.ENTER_REST, keys)] if rest_is_gone else []
    batch = [(statements.JOIN_WHOLE, None), *rest, (statements.JUDGE, keys), (statements.JOIN_AS_USUAL, None)]
    return hot.run_all(batch)[-2]


def judged(row: Any) -> rules.Verdict:
    """What one row of JUDGE comes to."""
    return rules.judge(rules.Tally(row.counted, row.book_at, row.went, row.came, row.reserved, row.corrected))


def _verdict(row: Any, percent: int) -> dict[str, Any]:
    verdict = judged(row)
    weighed = rules.is_weighing_loss(row.rx_class, verdict.difference, row.book_at, percent)
    return {
        "line_no": row.line_no, "counted": row.counted, "difference": verdict.difference, "unsure": verdict.unsure, "first_mark": row.first_mark,
        "worth_fen": worth_fen(verdict.difference, row.cost_price, row.pack_size), "reason": rules.WEIGHING if weighed else "",
    }  # fmt: skip


def worth_fen(difference: int, cost_price: Decimal | None, pack_size: int) -> int | None:
    """A difference at cost; unknown where the lot has none."""
    if cost_price is None:
        return None
    worth = money.fen(cost_price, Decimal(abs(difference)) / pack_size)
    return worth if difference > 0 else -worth


@hot_action
def reopen_count(desk: Desk, count_id: UUID, *, senior: bool = False) -> None:
    """Send a closed count back to be counted on (退回复点). Raises CountNotWaiting, NotYourCount."""
    keys = {**desk.keys, "count": count_id}
    with transaction(settings=desk.settings) as hot:
        _led_by(desk, lock_head(hot, keys, "closed"), senior=senior)
        hot.run_last(statements.REOPEN, keys)


@hot_action
def withdraw_count(desk: Desk, count_id: UUID, *, senior: bool = False) -> None:
    """Give a count up; nothing is posted, what was entered stays to be read (撤销). Raises CountNotWaiting, NotYourCount."""
    keys = {**desk.keys, "count": count_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        _led_by(desk, lock_head(hot, keys, "open", "closed"), senior=senior)
        hot.run_all([(statements.FINISH_LINES, keys), (statements.WITHDRAW, keys)], last=True)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line differs."""

    line_no: int
    reason: str
    note: str = ""


@hot_action
def explain_differences(desk: Desk, count_id: UUID, reasons: Sequence[Reason], *, senior: bool = False) -> None:
    """Write down why lines differ. Raises CountNotWaiting, NotYourCount, WrongInput."""
    keys = {**desk.keys, "count": count_id, "lines": [one.line_no for one in reasons]}
    percent = parameters.of(desk.tenant_id).count("herb_tolerance")
    with transaction(settings=desk.settings) as hot:
        _led_by(desk, lock_head(hot, keys, "closed"), senior=senior)
        known = {row.line_no: row for row in hot.run(statements.TO_EXPLAIN, keys)}
        rows = [_checked(one, known[one.line_no], percent) for one in reasons if one.line_no in known]
        hot.run_last(statements.EXPLAIN, {**keys, "rows": ledger.as_json(rows)})


def _checked(one: Reason, line: Any, percent: int) -> dict[str, Any]:
    if one.reason not in {"", *rules.REASONS} or len(one.note) > 100:
        raise WrongInput(what="差异原因", why="请从列表里选，说明最多 100 个字")
    if one.reason == rules.OTHER and not one.note.strip():
        raise WrongInput(what="差异原因", why=words("{name} 选了其他，要写明是什么", name=line.name))
    book = line.counted - line.difference
    if one.reason == rules.WEIGHING and not rules.is_weighing_loss(line.rx_class, line.difference, book, percent):
        raise WrongInput(
            what="差异原因",
            why=words("{name} 的差异超过称量损耗（饮片 ±{percent}%），请选别的原因", name=line.name, percent=percent),
        )
    return {"line_no": one.line_no, "reason": one.reason, "note": one.note.strip()}
