"""Ask for a stock paper, decide it, take it back (库存单据): one pair of acts for everything that happens to goods in the house."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, personal
from app.core.errors import DocumentChanged, NotFound, Several
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger
from app.facility.stock.keeping import corrections, drawers, rules, statements
from app.facility.stock.keeping.errors import (
    AlreadyDecided,
    DecisionNeedsNote,
    HolderReleases,
    NotTheirGoods,
    NotYours,
    OpenedPack,
    PaperNotTaken,
    SecondPersonNeeded,
)
from app.facility.stock.keeping.rules import CORRECT, Correction, Line, Paper
from app.facility.stock.ledger import Move, Story, as_json
from app.facility.stock.rulebook import ACTS
from app.facility.stock.suppliers.actions import note_owed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

NOT_YET = "K00-0000-0000"  # Stands in the fact of a trial, which nobody gets.
_json = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a paper: its number, and whether it is posted or waits for the second person."""

    number: str
    state: str


@hot_action
def ask_document(desk: Desk, document: UUID, paper: Paper, second: int | None = None) -> Answer:
    """Make a stock paper (库存单据). An act for one person posts at once; one for two waits, or posts with `second` there.

    Everything is checked against the rulebook now and again when it is decided; what waits is not blocked. Sent again the
    paper answers as it did. Raises PaperNotTaken (all problems at once), what the ledger refuses, OpenedPack,
    HolderReleases, SecondPersonNeeded, DocumentChanged.
    """
    digest = hashlib.sha256(_json([paper.act, paper.lines, paper.reason, paper.note, dict(paper.record)])).digest()
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN, {**desk.keys, "document": document}):
            return _same_or_refuse(known[0], digest)
        if problems := rules.problems_of(paper):
            raise PaperNotTaken(problems=Several(problems[:20], between=" "))
        second = second if ACTS[paper.act].second else None
        waits = ACTS[paper.act].second and second is None
        return _write(hot, desk, document, paper, digest, second, waits=waits)


@hot_action
def ask_correction(desk: Desk, document: UUID, wanted: Correction, second: int | None = None) -> Answer:
    """Correct what was written wrongly about a lot (更正): by reversing rows, with before and after.

    Above the site's limit, where the cost is not known, and where an expiry grows, a second person confirms. Raises
    PaperNotTaken, LotTaken, what the ledger refuses, DocumentChanged.
    """
    digest = hashlib.sha256(_json(wanted)).digest()
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN, {**desk.keys, "document": document}):
            return _same_or_refuse(known[0], digest)
        paper, alone = corrections.draft(hot, desk, wanted)
        return _write(hot, desk, document, paper, digest, second, waits=not alone and second is None)


@hot_action
def decide_document(desk: Desk, document: UUID, *, yes: bool, note: str = "") -> Answer:
    """The second person confirms a paper, and it posts; or refuses it, with a reason.

    Deciding the same again changes nothing. Raises AlreadyDecided, SecondPersonNeeded, HolderReleases, DecisionNeedsNote, and
    what the ledger refuses: goods that were moved or sold since are not there any more.
    """
    if not yes and not note.strip():
        raise DecisionNeedsNote
    with transaction(settings=desk.settings) as hot:
        head = _locked(hot, desk, document)
        wanted = "posted" if yes else "refused"
        if (head.state, head.decided_by) == (wanted, desk.staff_id):
            return Answer(head.number, head.state)
        if head.state != "asked":
            raise AlreadyDecided(number=head.number)
        keys = {**desk.keys, "document": document, "state": wanted, "second": desk.staff_id, "at": clock.now(), "note": note.strip()[:200]}  # fmt: skip
        if head.staff_id == desk.staff_id:
            raise SecondPersonNeeded(number=head.number)
        if yes:
            asker = replace(desk, staff_id=head.staff_id, operator=_operator(head.staff_number, head.staff_name))
            _post(hot, asker, document, _paper_of(hot, desk, document, head), head.number, desk.staff_id, desk.operator)
            hot.run(statements.WRITE_TAKEN, keys)
        hot.run_last(statements.DECIDE, keys)
        return Answer(head.number, wanted)


@hot_action
def withdraw_document(desk: Desk, document: UUID) -> Answer:
    """Who asked takes a waiting paper back. Raises NotYours, AlreadyDecided."""
    with transaction(settings=desk.settings) as hot:
        head = _locked(hot, desk, document)
        if head.staff_id != desk.staff_id:
            raise NotYours(number=head.number)
        if head.state not in {"asked", "withdrawn"}:
            raise AlreadyDecided(number=head.number)
        keys = {**desk.keys, "document": document, "state": "withdrawn", "second": desk.staff_id, "at": clock.now(), "note": ""}  # fmt: skip
        hot.run_last(statements.DECIDE, keys)
        return Answer(head.number, "withdrawn")


def _same_or_refuse(known: Any, digest: bytes) -> Answer:
    if bytes(known.digest) != digest:
        raise DocumentChanged
    return Answer(known.number, known.state)


def _locked(hot: Hot, desk: Desk, document: UUID) -> Any:
    rows = hot.run(statements.LOCK, {**desk.keys, "document": document})
    if not rows:
        raise NotFound
    return rows[0]


def _write(
    hot: Hot, desk: Desk, document: UUID, paper: Paper, digest: bytes, second: int | None, *, waits: bool
) -> Answer:
    """Post or try, then write the paper; the number comes from the head, which is locked last."""
    number = _try(hot, desk, document, paper) if waits else ""
    if not waits:
        approver = _second(hot, desk, second)
        number = _post(hot, desk, document, paper, "", second, approver)
    keys: dict[str, Any] = {
        **desk.keys, "document": document, "act": paper.act, "number": number, "state": "asked" if waits else "posted", "digest": digest,
        "reason": paper.reason, "note": paper.note, "record": as_json(dict(paper.record)), "at": clock.now(), "today": clock.business_date(),
        "second": None if waits else second,
    }  # fmt: skip
    lines = [
        {"line_no": line_no, "lot_id": line.lot_id, "from_zone": line.from_zone, "to_zone": line.to_zone, "quantity": line.quantity}
        for line_no, line in enumerate(paper.lines, 1)
    ]  # fmt: skip
    codes = [{"code": code, "line_no": line_no} for line_no, line in enumerate(paper.lines, 1) for code in line.codes]
    try:
        hot.run(statements.WRITE, keys)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # The same paper arrived twice at once: start again and find it.
    hot.run(statements.WRITE_LINES, {**keys, "lines": as_json(lines)})
    hot.run(statements.WRITE_CODES, {**keys, "codes": as_json(codes)})
    if not waits:
        hot.run(statements.WRITE_TAKEN, keys)
    return Answer(number, keys["state"])


def _try(hot: Hot, desk: Desk, document: UUID, paper: Paper) -> str:
    """Hold a paper that will wait against stock as it is now: whatever would be refused is refused at once."""
    hot.run("savepoint tried")
    _post(hot, desk, document, paper, NOT_YET, None, "", tell=False)
    hot.run("rollback to savepoint tried")
    return ledger.number_for(hot, desk, "K", clock.business_date())


def _post(
    hot: Hot, desk: Desk, document: UUID, paper: Paper, number: str, second: int | None, approver: str, *, tell: bool = True
) -> str:  # fmt: skip
    """Move the goods of a paper as its act says, and keep what else the act keeps; returns the paper's number."""
    story = Story(paper.reason, approver, paper.record.get("supplier", ""))
    if paper.act == CORRECT:
        return corrections.post(hot, desk, document, paper, number, second, story, tell=tell)
    _check(hot, desk, paper, second, number)
    moves = [Move(n, each.lot_id, each.quantity, each.from_zone, each.to_zone, each.codes) for n, each in enumerate(paper.lines, 1)]  # fmt: skip
    if "drawer" in paper.record:
        drawers.work(hot, desk, paper)
    if paper.act == "return_out" and number != NOT_YET:
        _owe_less(hot, desk, document, paper, number, second)
    return ledger.post(hot, desk, ACTS[paper.act], document, clock.now(), moves, story, number=number, tell=tell).number


def _owe_less(hot: Hot, desk: Desk, document: UUID, paper: Paper, number: str, second: int | None) -> None:
    """What went back to a supplier on file is owed no more, at its cost; the red invoice settles the rest."""
    back: dict[int, int] = {}
    for line in paper.lines:
        back[line.lot_id] = back.get(line.lot_id, 0) + line.quantity
    keys = {**desk.keys, "name": paper.record["supplier"], "lots": list(back)}
    supplier = hot.run(statements.SUPPLIER, keys)
    worth = sum(
        rules.worth_fen(max(0, back[lot.id] - lot.unowed), lot.pack_size, lot.cost_price) or 0
        for lot in hot.run(statements.COSTS, keys)
    )
    if supplier and worth:
        note_owed(hot, desk, supplier[0].id, document, "return", -worth, clock.now(), number, approver_id=second)


def _check(hot: Hot, desk: Desk, paper: Paper, second: int | None, number: str) -> None:
    """What the ledger cannot know: who held the goods, who brought them, and whether packs were opened."""
    lots = sorted({line.lot_id for line in paper.lines})
    if paper.act == "return_out":
        _theirs(hot.run(statements.BROUGHT_BY, {**desk.keys, "lots": lots}), paper.record["supplier"])
    if paper.act == "release" and second is not None:
        holders = {row.staff_id for row in hot.run(statements.HOLDERS, {**desk.keys, "lots": lots})}
        if second in holders:
            raise HolderReleases(number=number or rules.WORDS["release"])
    whole = [line for line in paper.lines if rules.whole_packs_only(line.to_zone)]
    rows = [{"lot_id": line.lot_id, "from_zone": line.from_zone, "quantity": line.quantity, "codes": line.codes} for line in whole]  # fmt: skip
    if rows and (opened := hot.run(statements.OPENED, {**desk.keys, "lines": as_json(rows)})):
        raise OpenedPack(name=opened[0].name, lot=opened[0].lot_number)


def _theirs(lots: Sequence[Any], supplier: str) -> None:
    for lot in lots:
        if supplier not in lot.suppliers:
            raise NotTheirGoods(name=lot.name, lot=lot.lot_number, brought="、".join(lot.suppliers), supplier=supplier)


def _second(hot: Hot, desk: Desk, second: int | None) -> str:
    if second is None:
        return ""
    if second == desk.staff_id:
        raise SecondPersonNeeded(number="")
    found: Sequence[Any] = hot.run(statements.STAFF, {**desk.keys, "staff_id": second})
    if not found:
        raise NotFound
    return _operator(found[0].number, found[0].name)


def _operator(number: str, name: str) -> str:
    """A person as facts name them: number and masked name."""
    return f"{number} {personal.mask_name(name)}"


def _paper_of(hot: Hot, desk: Desk, document: UUID, head: Any) -> Paper:
    rows = hot.run(statements.LINES, {**desk.keys, "document": document})
    lines = tuple(Line(row.lot_id, row.quantity, row.from_zone, row.to_zone, tuple(row.codes or ())) for row in rows)
    return Paper(head.act, lines, head.reason, head.note, head.record)
