"""What a row of an opening file cannot know of itself: what moved already, what other rows say, which codes are known here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.db import run
from app.facility.stock.rules import MOST_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

MOST_ROWS = 20_000
MOST_CODES = 200_000

READY = """
    select r.number, r.product_id, r.said, p.pack_size, p.trace_required from stock_import_row r
    join product p on p.tenant_id = r.tenant_id and p.id = r.product_id
    where r.import_id = :id and r.verdict = 'ready' and (cast(:product as bigint) is null or r.product_id = :product)
    order by r.number limit :most
"""
# A product that moved otherwise, or a lot that was opened, cannot be opened again.
MOVED = """
    select p.id from product p join stock_import i on i.tenant_id = p.tenant_id and i.id = :id
    where p.id = any(:products) and exists (
        select from stock_movement m
        where m.tenant_id = p.tenant_id and m.facility_id = i.facility_id and m.product_id = p.id and m.kind <> 'AD')
    order by p.id limit :most
"""
LOTS = """
    select l.product_id, l.lot_number, l.expires_on::text as expires_on, l.hold, exists (
        select from stock_movement m where m.tenant_id = l.tenant_id and m.lot_id = l.id) as opened
    from lot l join stock_import i on i.tenant_id = l.tenant_id and i.id = :id and i.facility_id = l.facility_id
    where l.product_id = any(:products) order by l.id limit :most
"""
KNOWN_CODES = "select code from trace_code where code = any(:codes) order by code limit :most"
REFUSE = """
    update stock_import_row r set verdict = 'error', problem = j.problem
    from unnest(cast(:numbers as int[]), cast(:problems as text[])) as j(number, problem)
    where r.import_id = :id and r.number = j.number and r.verdict = 'ready'
"""


def look_across(import_id: UUID, product_id: int | None = None) -> int:
    """Mark the ready rows (of one product, or all) that cannot be opened, each with its reason; returns how many."""
    rows = run(READY, id=import_id, product=product_id, most=MOST_ROWS).all()
    products = sorted({row.product_id for row in rows})
    shared = {"id": import_id, "products": products, "most": MOST_ROWS * 5}
    moved = {row.id for row in run(MOVED, **shared)}
    lots = {(row.product_id, row.lot_number, row.expires_on): row for row in run(LOTS, **shared)}
    found = problems_across(rows, moved, lots, _known_codes(rows))
    if found:
        run(REFUSE, id=import_id, numbers=list(found), problems=list(found.values()))
    return len(found)


def _known_codes(rows: Iterable[Any]) -> set[str]:
    codes = sorted({code for row in rows for code in row.said["codes"]})[:MOST_CODES]
    return {row.code for row in run(KNOWN_CODES, codes=codes, most=MOST_CODES)} if codes else set()


def problems_across(rows: Sequence[Any], moved: set[int], lots: dict[Any, Any], known: set[str]) -> dict[int, str]:
    """The first thing that keeps each row from the shelf, by its number; a second row of one lot stands behind the first."""
    codes = Counter(code for row in rows for code in row.said["codes"])
    twice = {code for code, times in codes.items() if times > 1}
    today, seen, found = clock.business_date().isoformat(), set(), {}
    for row in rows:
        said, lot = row.said, (row.product_id, row.said["lot"], row.said["expires_on"])
        here, own = lots.get(lot), set(said["codes"])
        checks = {
            "moved": row.product_id in moved or bool(here and here.opened),
            "held": bool(here and here.hold) and said["expires_on"] >= today,
            "twice": lot in seen,
            "many": said["packs"] * row.pack_size > MOST_UNITS,
            "codes_twice": bool(own & twice),
            "codes_known": bool(own & known),
            "codes_few": bool(own) and row.trace_required and len(own) < said["packs"],
        }
        seen.add(lot)
        if wrong := next((name for name, holds in checks.items() if holds), ""):
            found[row.number] = wrong
    return found
