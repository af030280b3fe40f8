"""The life of one trace code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_EVENTS = 200  # A pack has a handful; a code forged a thousand times must not fill a page.

# Each event with its line, document, institution and proof: the hash is computed again from the bytes and the fact before.
LIFE = """
    select e.kind, e.units, e.split, e.is_back, m.stream, m.epoch, m.number, m.district, m.document, m.receipt, m.at,
        m.operator, m.terminal, m.paid, m.total_fen, m.setl_id, m.reversed_setl_id, m.fund_fen, m.account_fen, m.mutual_fen,
        m.cash_fen, m.original_document, m.original_receipt, m.reason, m.counterpart, l.act, l.from_zone, l.to_zone,
        l.line, l.product, l.national, l.name, l.spec, l.maker, l.lot, l.expires_on, l.quantity, l.pack_size, l.amount_fen,
        l.scanned_at, l.goods, l.zone, l.code_count, e.document as event_document, e.pack_size as event_pack_size,
        coalesce(i.name, m.stream) as institution, f.received_at, f.hash, p.hash as previous,
        f.hash = fact_hash(p.hash, f.stream, f.epoch, f.number, f.kind, f.version, f.body) as is_chained
    from trace_event e
    join movement m on m.stream = e.stream and m.epoch = e.epoch and m.number = e.number
    join movement_line l on l.stream = e.stream and l.epoch = e.epoch and l.number = e.number and l.line = e.line
    join inbox_fact f on f.stream = e.stream and f.epoch = e.epoch and f.number = e.number
    left join inbox_fact p on p.stream = e.stream and p.number = e.number - 1 and p.orphaned_at is null
    left join institution i on i.code = e.stream
    where e.code = :code and not e.orphaned
    order by e.at, e.stream, e.number, e.line
    limit :most
"""

ALERTS = """
    select id, kind, stream, epoch, number, line, at, facts, cleared_at from alert
    where code = :code order by cleared_at is not null, id limit 20
"""

# Other packs of the same lot in the same plight.
SAME_LOT = """
    select count(distinct code) as packs, coalesce(sum((facts #>> '{second,fund_fen}')::bigint), 0)::bigint as fund_fen
    from alert
    where kind = 'trace.duplicate' and cleared_at is null and code <> :code
        and facts ->> 'lot' = :lot and facts ->> 'product' = :product
"""

EVIDENCE = """
    select f.stream, f.epoch, f.number, f.kind, f.version, f.body, f.hash, f.received_at, p.hash as previous
    from trace_event e
    join inbox_fact f on f.stream = e.stream and f.epoch = e.epoch and f.number = e.number
    left join inbox_fact p on p.stream = e.stream and p.number = e.number - 1 and p.orphaned_at is null
    where e.code = :code and not e.orphaned
    order by e.at, e.stream, e.number
    limit :most
"""


def life_of(code: str) -> Sequence[Any]:
    """Every event of a code that the officer may see, in order of time. Empty: unknown here."""
    return run(LIFE, code=code, most=MOST_EVENTS).all()


def alerts_of(code: str) -> Sequence[Any]:
    """The alerts about a code, open ones first."""
    return run(ALERTS, code=code).all()


def same_lot(code: str, lot: str, product: str) -> tuple[int, int]:
    """How many other packs of this lot were sold twice, and what the fund paid for their second sales."""
    row = run(SAME_LOT, code=code, lot=lot, product=product).one()
    return int(row.packs), int(row.fund_fen)


def evidence_of(code: str) -> Sequence[Any]:
    """The facts behind a code's life, with bytes and hashes, for a file that proves itself."""
    return run(EVIDENCE, code=code, most=MOST_EVENTS).all()
