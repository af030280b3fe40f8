"""Settle a basket: for cash in one transaction, by card in two with the question to the center between them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

import msgspec
from psycopg import errors as pg

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, Refusal, Several, Words, words
from app.core.personal import mask_name, unseal_bytes
from app.facility.counter import events, rules, statements
from app.facility.counter.errors import NoShift, PrescriptionNotReady, PreviewNeeded, StaleBasket, StreamRewound
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, machine, messages
from app.facility.organizations import queries as organizations
from app.facility.stock.actions import as_json
from app.facility.stock.errors import CodeNotForSale, NotEnoughStock
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer


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


@dataclass(frozen=True)
class AsAsked:
    """A sale whose outcome is awaited: what its fact and its tenders will say."""

    id: UUID
    receipt: str
    terminal: str
    staff_id: int
    operator: str
    total_fen: int
    given: list[rules.Tender]
    basket: rules.Basket
    picks: list[rules.Pick]


def settle_basket(
    desk: Desk, basket_id: UUID, version: int, tenders: Sequence[rules.Tender] = (), *, seen: bool = False
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
def _ask(desk: Desk, basket_id: UUID, version: int, tenders: tuple[rules.Tender, ...], seen: bool) -> Asked:
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
        raise _explained(desk, keys, basket, trouble.diag) from trouble


def _check_ready(hot: Hot, desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket) -> None:
    rules.check_ready(basket, pharmacist=not rules.guarded(basket) or _pharmacist_is_there(hot, desk, keys))
    if loaded.shift_id is None:
        raise NoShift
    if loaded.identification_id is not None and loaded.relay_state == "rewound":
        raise StreamRewound


def _reserve(
    hot: Hot, desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket, digest: bytes,
    tenders: tuple[rules.Tender, ...], seen: bool,
) -> Asked:  # fmt: skip
    """Take the goods: an insured sale is committed at once and then asked about, a cash sale is finished here."""
    picks = rules.choose_lots(basket.lines, msgspec.convert(loaded.shelf or [], list[rules.Free]))
    _all_on_the_shelf(hot, keys, basket, picks)
    draft = _draft(desk, keys, loaded, basket, picks, tenders, seen)
    params = {**draft, "sale": as_json(draft["sale"]), "digest": digest}
    faults.at("settle.reserving")
    if draft["stored"] is None:
        [row] = hot.run(statements.ASK, params)
        return Asked(_finish_cash(hot, desk, keys, basket, picks, row, tenders))
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


def _draft(
    desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket, picks: Sequence[rules.Pick],
    tenders: Sequence[rules.Tender], seen: bool,
) -> dict[str, Any]:  # fmt: skip
    """What ASK writes down: the sale as one JSON object, and for an insured one the sealed message."""
    insured = loaded.identification_id is not None
    if insured and tenders and not (seen and basket.preview):
        raise PreviewNeeded
    if not insured:
        rules.settle_tenders(basket.total_fen, tenders)
    elif seen and basket.preview:
        rules.settle_tenders(basket.preview["cash_fen"], tenders)
    sale = {
        **keys, "version": loaded.version, "station": desk.station, "terminal": desk.terminal, "shift": loaded.shift_id,
        "paid": "insured" if insured else "self", "total_fen": basket.total_fen, "identification": loaded.identification_id,
        "tendered": list(tenders), "lines": [_line(line) for line in basket.lines],
        "picks": [{"line_no": pick.line_no, "lot_id": pick.lot_id, "zone": pick.zone, "quantity": pick.quantity} for pick in picks],
        "lots": _lots(picks), "codes": codes_of(basket), "prescriptions": list({line.rx for line in basket.lines if line.rx}),
        "attempt": None, "infno": None, "institution": "", "deadline": None,
    }  # fmt: skip
    draft = {"sale": sale, "given": list(tenders), "message_digest": b"", "sealed": b"", "stored": None}
    if not insured:
        return draft
    stored, institution = _message(desk, keys, loaded, basket, seen)
    sale |= {"attempt": uuid4(), "infno": "2102", "institution": institution, "deadline": machine.deadline(keys["at"])}
    return draft | {
        "stored": stored,
        "sealed": machine.seal(desk.tenant_id, stored),
        "message_digest": hashlib.sha256(stored.content.encode()).digest(),
    }


def _lots(picks: Sequence[rules.Pick]) -> list[dict[str, Any]]:
    """What is taken from each balance, all lines together: each is locked and changed once."""
    sums: dict[tuple[int, str], int] = {}
    for pick in picks:
        sums[pick.lot_id, pick.zone] = sums.get((pick.lot_id, pick.zone), 0) + pick.quantity
    return [{"lot_id": lot_id, "zone": zone, "quantity": quantity} for (lot_id, zone), quantity in sums.items()]


def codes_of(basket: rules.Basket) -> list[dict[str, Any]]:
    """The scanned codes with their lines, as the database functions take them."""
    return [
        {"line_no": line.line_no, "code": code.code, "quantity": code.quantity, "split": line.split}
        for line in basket.lines
        for code in line.codes
    ]


def _message(
    desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket, seen: bool
) -> tuple[machine.Sealed, str]:
    """The message as it will be sent and kept, and the institution it comes from."""
    person = identify.person_of(desk, loaded, basket.total_fen)
    _same_patient(desk, loaded, person)
    here = desks.institution(desk.tenant_id, desk.facility_id)
    extra: dict[str, Any] = {"operator_terminal": desk.terminal, "credential": person.read_how, "buyer": loaded.buyer}
    if agent := identify.agent_of(desk, loaded):
        extra["agent"] = agent
    if seen and basket.preview:
        shown = basket.preview
        extra["expected"] = amounts.wire_shares(
            amounts.Shares(shown["fund_fen"], shown["account_fen"], shown["mutual_fen"], shown["cash_fen"])
        )
    content = messages.purchase(person, [wire_line(line) for line in basket.lines], keys["at"], extra, codes=True)
    operator = desks.operator_of(desk)
    text = msgspec.json.encode(content).decode()
    return machine.Sealed(here.wire, operator, person.admdvs, loaded.sign_no, person.psn_no, text), here.wire.code


def _same_patient(desk: Desk, loaded: Any, person: messages.Person) -> None:
    """A prescription pays from its own patient's insurance only: names must agree, and the citizen id where it was entered."""
    for row in loaded.prescriptions or []:
        patient = msgspec.json.decode(unseal_bytes(str(desk.tenant_id), bytes.fromhex(row["patient"])))
        if patient["name"].strip() != person.name or (patient.get("certno") and patient["certno"] != person.certno):
            raise PrescriptionNotReady(
                number=row["number"], why="的患者与持卡人不是同一人，不能用这张卡结算；可改自费，或换患者本人的卡"
            )


def wire_line(line: rules.Line) -> messages.Line:
    """A basket line as the center is told it."""
    return messages.Line(
        line_no=line.line_no, national=line.about.national, code=line.about.code, quantity=Decimal(line.sale_units),
        price=line.price, amount_fen=line.amount_fen, scanned_at=line.scanned_at, rx_number=line.rx_number, split=line.split,
        codes=tuple(code.code for code in line.codes),
    )  # fmt: skip


def _line(line: rules.Line) -> dict[str, Any]:
    return {
        "line_no": line.line_no, "product_id": line.about.product_id, "quantity": line.quantity, "split": line.split, "lot_id": line.lot_id,
        "price": f"{line.price:.6f}", "amount_fen": line.amount_fen, "prescription_id": line.rx, "scanned_at": line.scanned_at,
        "described": {"name": line.about.name, "trade": line.about.trade, "spec": line.about.spec, "maker": line.about.maker, "unit": line.about.base_unit if line.split else line.about.pack_unit,
                      "pack_size": line.about.pack_size, "insurance_class": line.about.insurance_class, "selfpay_share": line.about.selfpay_share, "rx_number": line.rx_number},
    }  # fmt: skip


def _attempt(
    desk: Desk, keys: dict[str, Any], draft: dict[str, Any], basket: rules.Basket, picks: list[rules.Pick], row: Any
) -> machine.Attempt:
    stored: machine.Sealed = draft["stored"]
    document, at = keys["document"], keys["at"]
    known = AsAsked(
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
    """Say which codes or prescriptions were no longer to be had."""
    if trouble.message_primary == "prescriptions":
        numbers = {line.rx_number for line in basket.lines if line.rx}
        return PrescriptionNotReady(number="、".join(sorted(numbers)), why="已被使用、过期或还没有审过")
    assert trouble.message_primary == "codes"
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


# ---- writing the outcome -------------------------------------------------------------------------------------------


def _finish_cash(
    hot: Hot, desk: Desk, keys: dict[str, Any], basket: rules.Basket, picks: Sequence[rules.Pick], row: Any, tenders: Sequence[rules.Tender]
) -> Outcome:  # fmt: skip
    paid, _change = rules.settle_tenders(basket.total_fen, tenders)
    lines = events.sold_lines(basket.lines, picks)
    facts = events.sale_sold(
        keys["document"], row.receipt, keys["at"], desk.operator, desk.terminal, basket.total_fen, lines, None
    )
    sale = {**keys, "attempt": None, "cash_fen": _cash(paid), "tenders": paid, **_goods(basket, picks)}
    hot.run_last(statements.CONFIRM, {"sale": as_json(sale), "facts": facts})
    return Outcome("settled", keys["document"], row.receipt)


def _goods(basket: rules.Basket, picks: Sequence[rules.Pick]) -> dict[str, Any]:
    """What leaves the shelf: the ledger's rows, which give back what was reserved, and the codes."""
    movements = [
        {"line_no": pick.line_no, "lot_id": pick.lot_id, "zone": pick.zone, "kind": "SA", "quantity": -pick.quantity, "release": pick.quantity}
        for pick in picks
    ]  # fmt: skip
    return {"movements": movements, "codes": codes_of(basket)}


def _cash(paid: Sequence[rules.Tender]) -> int:
    return sum(tender.amount_fen for tender in paid if tender.kind == "cash")


class Sales:
    """How the machine confirms and releases sales."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center settled it: goods leave, money is noted, the center is told."""
        split = messages.read_split(answer.output)
        faults.at("settle.confirming")
        with transaction(settings=attempt.settings) as hot:
            keys = machine.outcome(attempt, was, "accepted")
            params = _confirmation(attempt, keys, attempt.known or _read_again(hot, keys), split)
            written = hot.run_last(statements.CONFIRM, params)
        faults.at("settle.confirmed")
        return bool(written)

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center refused it, or took it back: the goods are free again, the basket lives on."""
        faults.at("settle.releasing")
        state = "reversed" if code == "REVERSED" else "refused"
        with transaction(settings=attempt.settings) as hot:
            written = hot.run_last(
                statements.RELEASE, machine.outcome(attempt, was, state, {"code": code, "text": why[:500]})
            )
        faults.at("settle.released")
        return bool(written)


def _read_again(hot: Hot, keys: dict[str, Any]) -> AsAsked:
    """A sale as it was asked for, when somebody else than its own request confirms it."""
    rows, picks = hot.run_all([(statements.SALE_AS_ASKED, keys), (statements.PICKS, keys)])
    sale = rows[0]
    number, _, name = str(sale.who).partition(" ")
    given = msgspec.convert(sale.tendered, type=list[rules.Tender])
    basket = msgspec.json.decode(sale.content, type=rules.Basket)
    operator = f"{number} {mask_name(name)}"
    return AsAsked(
        sale.id,
        sale.receipt,
        sale.terminal,
        sale.staff_id,
        operator,
        sale.total_fen,
        given,
        basket,
        [rules.Pick(*pick) for pick in picks],
    )


def _confirmation(
    attempt: machine.Attempt, keys: dict[str, Any], sale: AsAsked, split: messages.Split
) -> dict[str, Any]:
    """All parameters of CONFIRM."""
    paid = _own_part(split.cash_fen, sale.given)
    insured = [
        rules.Tender("fund", split.fund_fen),
        rules.Tender("account", split.account_fen),
        rules.Tender("mutual", split.mutual_fen),
    ]
    settlement = {
        "setl_id": split.setl_id, "msgid": attempt.message_id, "fund_fen": split.fund_fen, "account_fen": split.account_fen,
        "mutual_fen": split.mutual_fen, "cash_fen": split.cash_fen,
    }  # fmt: skip
    lines = events.sold_lines(sale.basket.lines, sale.picks)
    facts = events.sale_sold(
        sale.id, sale.receipt, keys["at"], sale.operator, sale.terminal, sale.total_fen, lines, settlement
    )
    written = {
        **keys, "staff": sale.staff_id, "setl_id": split.setl_id, "mdtrt_id": split.mdtrt_id, "money": money_of(split),
        "cash_fen": _cash(paid), "tenders": [*insured, *paid], **_goods(sale.basket, sale.picks),
    }  # fmt: skip
    return {"sale": as_json(written), "facts": facts}


def _own_part(due_fen: int, given: Sequence[rules.Tender]) -> list[rules.Tender]:
    """How the person's own part was paid. The split was agreed beforehand, so this cannot fail; were it short, cash is owed."""
    try:
        return rules.settle_tenders(due_fen, given)[0]
    except Refusal:
        return [rules.Tender("cash", due_fen)] if due_fen else []


def money_of(split: messages.Split) -> dict[str, Any]:
    """The split as it stays on the sale, for receipts and for the day's totals."""
    kept = msgspec.to_builtins(split)
    kept.pop("identity", None)
    return {**kept, "fund_fen": split.fund_fen}


machine.register("sale", Sales())
