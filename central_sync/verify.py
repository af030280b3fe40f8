"""Recomputes a whole chain on either side and names every fact that is altered, missing or too many (核链)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select, update

from central_sync import chain, news, tables
from central_sync.chain import Fact, Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

MOST_FINDINGS = 100  # A stream: past that the rest adds nothing.
READ_AT_ONCE = 1000


class Epoch(NamedTuple):
    """A stretch of a stream: the common fact it starts from, and where it was left when the next one opened."""

    epoch: int
    from_number: int
    from_hash: bytes
    left_number: int | None
    left_hash: bytes | None


class Finding(NamedTuple):
    """One thing that is not as it was written: altered, missing or extra."""

    stream: str
    epoch: int
    number: int
    what: str
    why: str


@dataclass
class Report:
    """What a verification of one stream found."""

    stream: str
    number: int
    facts: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, epoch: int, number: int, what: str, why: str) -> None:
        """Note a finding."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(self.stream, epoch, number, what, why))


def verify_facility(connection: Connection, only: str | None = None) -> list[Report]:
    """Check the outbox of every facility (or of one stream), as a role that sees all tenants' rows."""
    t = tables.stream_head.c
    heads = select(t.stream, t.epoch, t.number, t.hash, t.tenant_id, t.facility_id).order_by(t.stream)
    reports = []
    for row in connection.execute(heads.where(t.stream == only) if only else heads).all():
        e, o = tables.stream_epoch.c, tables.outbox.c
        owner = (row.tenant_id, row.facility_id)
        epochs = connection.execute(
            select(e.epoch, e.from_number, e.from_hash, e.left_number, e.left_hash)
            .where(e.tenant_id == owner[0], e.facility_id == owner[1])
            .order_by(e.epoch)
        )
        facts = connection.execute(
            select(o.epoch, o.number, o.kind, o.version, o.body, o.hash)
            .where(o.tenant_id == owner[0], o.facility_id == owner[1])
            .order_by(o.epoch, o.number)
            .execution_options(yield_per=READ_AT_ONCE)
        )
        head = Head(row.epoch, row.number, bytes(row.hash))
        reports.append(_check(row.stream, head, [Epoch(*found) for found in epochs], (Fact(*found) for found in facts)))
    return reports


def verify_center(connection: Connection, only: str | None = None) -> list[Report]:
    """Check the inbox of every stream (or of one)."""
    t = tables.inbox_stream.c
    heads = select(t.stream, t.epoch, t.number, t.hash).order_by(t.stream)
    reports = []
    for row in connection.execute(heads.where(t.stream == only) if only else heads).all():
        e, o = tables.inbox_epoch.c, tables.inbox_fact.c
        epochs = connection.execute(
            select(e.epoch, e.from_number, e.from_hash, e.left_number, e.left_hash)
            .where(e.stream == row.stream)
            .order_by(e.epoch)
        )
        facts = connection.execute(
            select(o.epoch, o.number, o.kind, o.version, o.body, o.hash)
            .where(o.stream == row.stream)
            .order_by(o.epoch, o.number)
            .execution_options(yield_per=READ_AT_ONCE)
        )
        head = Head(row.epoch, row.number, bytes(row.hash))
        report = _check(row.stream, head, [Epoch(*found) for found in epochs], (Fact(*found) for found in facts))
        _check_orphans(connection, report, head)
        reports.append(report)
    return reports


def verify_facility_news(connection: Connection, only: str | None = None) -> list[Report]:
    """Check the news that every facility (or one stream) took."""
    h, n = tables.facility_news_head.c, tables.facility_news.c
    heads = select(h.stream, h.epoch, h.number, h.hash, h.tenant_id, h.facility_id).order_by(h.stream)
    reports = []
    for row in connection.execute(heads.where(h.stream == only) if only else heads).all():
        items = select(n.epoch, n.number, n.kind, n.version, n.body, n.hash).where(
            n.tenant_id == row.tenant_id, n.facility_id == row.facility_id
        )
        reports.append(_check_news(connection, row, items.order_by(n.epoch, n.number)))
    return reports


def verify_center_news(connection: Connection, only: str | None = None) -> list[Report]:
    """Check the news that the center published to every institution (or to one)."""
    h, n = tables.center_news_head.c, tables.center_news.c
    heads = select(h.stream, h.epoch, h.number, h.hash).order_by(h.stream)
    reports = []
    for row in connection.execute(heads.where(h.stream == only) if only else heads).all():
        items = select(n.epoch, n.number, n.kind, n.version, n.body, n.hash).where(n.stream == row.stream)
        reports.append(_check_news(connection, row, items.order_by(n.epoch, n.number)))
    return reports


def _check_news(connection: Connection, row: Any, items: Any) -> Report:
    name = news.stream_name(row.stream)
    found = connection.execute(items.execution_options(yield_per=READ_AT_ONCE))
    epochs = [Epoch(1, 0, chain.genesis(name), None, None)]
    return _check(name, Head(row.epoch, row.number, bytes(row.hash)), epochs, (Fact(*each) for each in found))


def mark_verified(connection: Connection, report: Report) -> None:
    """Note at the center that a stream was verified up to its head, for the officers' screens."""
    t = tables.inbox_stream.c
    if not report.findings:
        connection.execute(
            update(tables.inbox_stream)
            .where(t.stream == report.stream)
            .values(verified_number=report.number, verified_at=func.now())
        )


def _check(stream: str, head: Head, epochs: Sequence[Epoch], facts: Iterable[Fact]) -> Report:
    report = Report(stream, head.number)
    known = {epoch.epoch: epoch for epoch in epochs}
    if not epochs or epochs[0].from_hash != chain.genesis(stream) or epochs[0].from_number != 0:
        report.add(1, 0, "altered", "the stream does not start at its own beginning")
    if epochs and epochs[-1].epoch != head.epoch:
        report.add(head.epoch, head.number, "altered", "the head names another epoch than the newest")
    seen: dict[int, Head] = {}
    hashes: dict[tuple[int, int], bytes] = {}
    starts = {epoch.from_number for epoch in epochs}
    for number, group in groupby(facts, key=lambda fact: fact.epoch):
        if number not in known:
            report.add(number, 0, "extra", "facts of an epoch that was never opened")
            continue
        seen[number] = _walk(report, known[number], group, starts, hashes)
    for index, epoch in enumerate(epochs):
        following = epochs[index + 1] if index + 1 < len(epochs) else None
        _check_end(
            report, epoch, following, seen.get(epoch.epoch, Head(epoch.epoch, epoch.from_number, epoch.from_hash)), head
        )
        if following is not None:
            _check_start(report, epochs[: index + 1], following, hashes)
    return report


def _walk(
    report: Report, epoch: Epoch, facts: Iterator[Fact], starts: set[int], hashes: dict[tuple[int, int], bytes]
) -> Head:
    """Walk one epoch's facts; a wrong one is named and the walk goes on from it, so that each is named once."""
    number, previous = epoch.from_number, epoch.from_hash
    for fact in facts:
        report.facts += 1
        if fact.number <= number:
            report.add(epoch.epoch, fact.number, "extra", "a number that the epoch does not hold")
            continue
        if fact.number > number + 1:
            report.add(epoch.epoch, number + 1, "missing", f"numbers {number + 1} to {fact.number - 1} are not there")
        elif fact.hash != chain.link(
            previous, report.stream, fact.epoch, fact.number, fact.kind, fact.version, bytes(fact.body)
        ):
            report.add(epoch.epoch, fact.number, "altered", "its bytes do not give its hash")
        number, previous = fact.number, bytes(fact.hash)
        if number in starts:
            hashes[epoch.epoch, number] = previous
    return Head(epoch.epoch, number, previous)


def _check_end(report: Report, epoch: Epoch, following: Epoch | None, reached: Head, head: Head) -> None:
    if following is None:
        number, expected = head.number, head.hash
    else:
        number, expected = epoch.left_number or epoch.from_number, epoch.left_hash or epoch.from_hash
    if reached.number > number:
        report.add(epoch.epoch, number + 1, "extra", f"facts after {number}, where the head stands")
    elif reached.number < number:
        report.add(
            epoch.epoch, reached.number + 1, "missing", f"numbers {reached.number + 1} to {number} are not there"
        )
    elif reached.hash != expected:
        report.add(epoch.epoch, number, "altered", "the last fact is not the one the head names")


def _check_start(report: Report, before: Sequence[Epoch], opened: Epoch, hashes: dict[tuple[int, int], bytes]) -> None:
    """An epoch starts at the fact that was valid at that number: in the newest epoch before it that reaches down to it."""
    number = opened.from_number
    owner = next((epoch for epoch in reversed(before) if epoch.from_number < number), None)
    expected = hashes.get((owner.epoch, number)) if owner else before[0].from_hash
    if expected != opened.from_hash:
        report.add(opened.epoch, number, "altered", "the epoch does not start at the last common fact")


def _check_orphans(connection: Connection, report: Report, head: Head) -> None:
    """The valid facts are exactly the numbers 1 to the head's."""
    o = tables.inbox_fact.c
    valid = connection.execute(
        select(func.count(), func.count(func.distinct(o.number)), func.max(o.number)).where(
            o.stream == report.stream, o.orphaned_at.is_(None)
        )
    ).one()
    if (valid[0], valid[1], valid[2] or 0) != (head.number, head.number, head.number):
        report.add(
            head.epoch, head.number, "altered", "the facts marked as orphaned are not those the epochs left behind"
        )
