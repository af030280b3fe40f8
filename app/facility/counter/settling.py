"""Settle a basket: for cash in one transaction, by card in two with the question to the center between them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from psycopg import errors as pg

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, Refusal, Several, Words, words
from app.facility.counter import confirming, discounts, drafts, rules, specials, statements
from app.facility.counter.errors import NoShift, PrescriptionNotReady, StaleBasket, StreamRewound
from app.facility.db import hot_action, transaction
from app.facility.insurance import machine
from app.facility.organizations import queries as organizations
from app.facility.stock.errors import CodeNotForSale, NotEnoughStock
from app.facility.stock.ledger import as_json
from app.facility.till.tenders import Tender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk


@dataclass(frozen=True)
class Outcome:
    """What became of a press on 结算."""

    kind: Literal["settled", "unknown", "refused"]
    sale_id: UUID
    receipt: str
    message: str = ""


@dataclass(frozen=True)
class Asked:
    """A sale whose goods are reserved."""

    outcome: Outcome | None  # Known at once: a cash sale, or a second press.
    attempt: machine.Attempt | None = None
    receipt: str = ""


def settle_basket(
    desk: Desk, basket_id: UUID, version: int, tenders: Sequence[Tender] = (), *, seen: bool = False
) -> Outcome:
    """Settle a basket (结算): reserve, ask the center when a card was read, and write the outcome.

    `seen`: the clerk has seen the split; the center then refuses when its own differs. The same basket sent again does it
    once and answers what became of it. Raises the counter's and the stock room's refusals (nothing was changed then).
    "unknown" means that the center has not said yet: the basket stays locked and the recovery worker finishes it.
    """
    asked = _ask(desk, basket_id, version, tuple(tenders), seen)
    if asked.outcome:
        return asked.outcome
    assert asked.attempt is not None
    return _outcome_of(desk, asked, machine.ask(asked.attempt))


def _outcome_of(desk: Desk, asked: Asked, ended: str) -> Outcome:
    assert asked.attempt is not None
    document = asked.attempt.document_id
    if ended == "confirmed":
        return Outcome("settled", document, asked.receipt)
    if ended == "unknown":
        return Outcome("unknown", document, asked.receipt)
    return find_outcome(desk, document)


def find_outcome(desk: Desk, sale_id: UUID) -> Outcome:
    """What became of a sale, now. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        known = hot.run_last(statements.KNOWN_SALE, {**desk.keys, "document": sale_id})
    if not known:
        raise NotFound
    return _known_outcome(known[0])


def find_outcome_or_none(desk: Desk, sale_id: UUID) -> Outcome | None:
    """What became of a sale, or None when it was never asked for."""
    try:
        return find_outcome(desk, sale_id)
    except NotFound:
        return None


@hot_action
def _ask(desk: Desk, basket_id: UUID, version: int, tenders: tuple[Tender, ...], seen: bool) -> Asked:
    digest = hashlib.sha256(msgspec.json.encode([str(basket_id), version, tenders, seen])).digest()
    at, today = clock.now(), clock.business_date()
    keys = {**desk.keys, "document": basket_id, "at": at, "today": today}
    basket = rules.Basket()
    try:
        with transaction(settings=desk.settings) as hot:
            loaded = _load(hot, keys, version, digest)
            if isinstance(loaded, Outcome):
                return Asked(loaded)
            basket = msgspec.json.decode(loaded.content, type=rules.Basket)
            _check_ready(hot, desk, keys, loaded, basket)
            return _reserve(hot, desk, keys, loaded, basket, digest, tenders, seen)
    except pg.RaiseException as trouble:  # Nothing was changed.
        if trouble.diag.message_primary not in {"codes", "prescriptions", "ephedrine"}:
            raise
        raise _explained(desk, keys, basket, trouble.diag) from trouble


def _check_ready(hot: Hot, desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket) -> None:
    rules.check_ready(basket, pharmacist=not rules.guarded(basket) or _pharmacist_is_there(hot, desk, keys))
    if loaded.shift_id is None:
        raise NoShift
    if loaded.identification_id is not None and loaded.relay_state == "rewound":
        raise StreamRewound


def _reserve(
    hot: Hot, desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket, digest: bytes,
    tenders: tuple[Tender, ...], seen: bool,
) -> Asked:  # fmt: skip
    """Take the goods: an insured sale is committed at once and then asked about, a cash sale is finished here."""
    picks = rules.choose_lots(basket.lines, msgspec.convert(loaded.shelf or [], list[rules.Free]))
    _all_on_the_shelf(hot, keys, basket, picks)
    draft = drafts.draft_of(desk, keys, loaded, basket, picks, tenders, seen)
    params = {**draft, "sale": as_json(draft["sale"]), "digest": digest}
    faults.at("settle.reserving")
    specials.keep(hot, desk, keys, loaded, basket)  # These two ask nothing of an ordinary basket.
    discounts.keep(hot, keys, basket)
    if draft["stored"] is None:
        [row] = hot.run(statements.ASK, params)
        confirming.finish_cash(hot, desk, keys, basket, picks, row, tenders)
        return Asked(Outcome("settled", keys["document"], row.receipt))
    [row] = hot.run_last(statements.ASK, params)
    return Asked(None, _attempt(desk, keys, draft, basket, picks, row), row.receipt)


def _pharmacist_is_there(hot: Hot, desk: Desk, keys: dict[str, Any]) -> bool:
    return bool(hot.run(organizations.ON_DUTY, organizations.on_duty_params(desk.facility_id, keys["at"])))


def _load(hot: Hot, keys: dict[str, Any], version: int, digest: bytes) -> Any:
    """What settling needs to know; or what became of the basket already."""
    rows = hot.run(statements.LOAD, keys)
    if not rows:
        raise NotFound
    if rows[0].state == "open" and rows[0].version == version:
        return rows[0]
    known = hot.run(statements.KNOWN_SALE, keys)
    if not known:
        raise StaleBasket
    if bytes(known[0].digest) != digest:
        raise DocumentChanged
    return _known_outcome(known[0])


def _known_outcome(sale: Any) -> Outcome:
    kinds: dict[str, Literal["settled", "unknown", "refused"]] = {
        "settled": "settled",
        "asked": "unknown",
        "refused": "refused",
    }
    return Outcome(kinds[sale.state], sale.id, sale.receipt, sale.refusal or "")


def _attempt(
    desk: Desk, keys: dict[str, Any], draft: dict[str, Any], basket: rules.Basket, picks: list[rules.Pick], row: Any
) -> machine.Attempt:
    stored: machine.Sealed = draft["stored"]
    document, at = keys["document"], keys["at"]
    known = confirming.AsAsked(
        document, row.receipt, desk.terminal, desk.staff_id, desk.operator, basket.total_fen, draft["given"], basket, picks
    )  # fmt: skip
    return machine.Attempt(
        id=draft["sale"]["attempt"], tenant_id=desk.tenant_id, facility_id=desk.facility_id, document_kind="sale", document_id=document,
        infno="2102", message_id=row.message_id, asked_at=at, body=stored.body("2102", row.message_id, at), psn_no=stored.psn_no, known=known,
    )  # fmt: skip


def _all_on_the_shelf(hot: Hot, keys: dict[str, Any], basket: rules.Basket, picks: Sequence[rules.Pick]) -> None:
    """Refuse, naming what is missing, unless every line can be covered."""
    picked: dict[int, int] = {}
    for pick in picks:
        picked[pick.line_no] = picked.get(pick.line_no, 0) + pick.quantity
    short = [line for line in basket.lines if picked.get(line.line_no, 0) < line.quantity]
    if short:
        said = (_shortage(hot, keys, line, picked.get(line.line_no, 0)) for line in short[:5])
        raise NotEnoughStock(shortages=Several(said))


def _explained(desk: Desk, keys: dict[str, Any], basket: rules.Basket, trouble: Any) -> Refusal:
    """Say which codes or prescriptions were no longer to be had, or that the buyer has had enough."""
    if trouble.message_primary == "ephedrine":
        return specials.limit_reached(desk, basket, trouble.message_detail)
    if trouble.message_primary == "prescriptions":
        numbers = {line.rx_number for line in basket.lines if line.rx}
        return PrescriptionNotReady(number="、".join(sorted(numbers)), why="已被使用、过期或还没有审过")
    wanted = {code.code for line in basket.lines for code in line.codes}
    with transaction(settings=desk.settings) as hot:
        return _code_trouble(hot, keys, wanted - set(msgspec.json.decode(trouble.message_detail)))


def _shortage(hot: Hot, keys: dict[str, Any], line: rules.Line, free: int) -> Words:
    hint = hot.run(statements.WHY_SHORT, {**keys, "product": line.about.product_id})[0]
    unit, size = (line.about.base_unit, 1) if line.split else (line.about.pack_unit, line.about.pack_size)
    left = words(
        "{drug} 只剩 {free} {unit}，还差 {short} {unit}",
        drug=f"{line.about.name} {line.about.spec}", free=free // size, short=-(-(line.quantity - free) // size), unit=unit,
    )  # fmt: skip
    if hint.held:
        return words("{left}（有批号已冻结或召回）", left=left)
    return words("{left}（有批号已过效期）", left=left) if hint.expired else left


def _code_trouble(hot: Hot, keys: dict[str, Any], untaken: set[str]) -> CodeNotForSale:
    states = {row.code: row.state for row in hot.run(statements.WHY_CODE, {**keys, "untaken": list(untaken)})}
    return CodeNotForSale(codes=Several(_code_state(code[-6:], states.get(code, "")) for code in sorted(untaken)[:5]))


def _code_state(code: str, state: str) -> Words:
    known = {
        "SOLD": words("…{code} 已经售出", code=code),
        "RESERVED": words("…{code} 正在另一台结算", code=code),
        "FROZEN": words("…{code} 已冻结", code=code),
        "SPLIT_OPEN": words("…{code} 已拆零或余量不足", code=code),
        "IN_STOCK": words("…{code} 还没有拆开", code=code),
    }
    return known.get(state) or words("…{code} 不在架", code=code)
