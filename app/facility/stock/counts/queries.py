"""What the counts' screens read. Row-level security picks the tenant; the facility is always named."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.catalog.house_codes import product_of
from app.facility.db import run, transaction
from app.facility.organizations import parameters
from app.facility.stock.counts import rules, statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
SHEET_PAGE = 200  # Lines of a printed sheet.
MOST_LINES = 20_000

_COUNT = """
select c.*, s.name as leader, k.name as closer, d.name as decider
from stock_count c join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
left join staff k on k.tenant_id = c.tenant_id and k.id = c.closed_by left join staff d on d.tenant_id = c.tenant_id and d.id = c.decided_by
"""
_GOODS = """
    p.generic_name as name, p.trade_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit, p.expiry_warning_days, l.lot_number, l.expires_on
from count_line n join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
"""
_STANDING = "not exists (select from count_entry x where x.tenant_id = e.tenant_id and x.replaces = e.id)"


def list_counts(facility_id: int, only: str = "", before: tuple[datetime, str] | None = None) -> list[Any]:
    """The counts of a facility, newest first, 50 a page; those under way with how many lines are counted by now."""
    at, last = before or (clock.now() + timedelta(minutes=1), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    rows = run(
        _COUNT.replace(
            "select c.*",
            """select c.id, c.number, c.scope, c.shelf, c.state, c.blind, c.opened_at, c.line_count, c.gain_fen, c.loss_fen, c.staff_id, case
                when c.state <> 'open' then c.counted_count else (select count(distinct e.line_no) from count_entry e
                    where e.tenant_id = c.tenant_id and e.count_id = c.id) end as counted""",
        )
        + """
        where c.facility_id = :facility and (c.opened_at, c.id) < (:at, cast(:last as uuid))
            and (:only = '' or (:only = 'going' and c.state in ('open', 'closed')) or (:only = 'done' and c.state in ('approved', 'withdrawn')))
        order by c.opened_at desc, c.id desc limit :page
        """,
        facility=facility_id, only=only, at=at, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def get_count(facility_id: int, count_id: UUID) -> Any:
    """One count. Raises NotFound."""
    found = run(
        f"{_COUNT} where c.id = :id and c.facility_id = :facility", id=count_id, facility=facility_id
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def reminders(desk: Desk) -> tuple[str, ...]:
    """Which counts are due: a full one, one of what is under special control (DOMAIN 3.5). None where there is no stock."""
    said, today = parameters.of(desk.tenant_id), clock.business_date()
    row = run(
        """
        select (select max(opened_on) from stock_count c where c.facility_id = :facility and scope = 'full' and state = 'approved') as full_on,
            (select max(opened_on) from stock_count c where c.facility_id = :facility and scope in ('full', 'controlled') and state = 'approved') as controlled_on,
            exists (select from lot_balance b where b.facility_id = :facility and b.on_hand > 0) as stocked,
            exists (select from lot_balance b join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
                where b.facility_id = :facility and b.on_hand > 0 and (p.special_class is not null or b.zone = 'CONTROLLED')) as controlled
        """,
        facility=desk.facility_id,
    ).one()
    due = []
    if row.controlled and (
        not row.controlled_on or (today - row.controlled_on).days >= said.days("count_controlled_days")
    ):
        due.append("controlled")
    if row.stocked and (not row.full_on or (today - row.full_on).days >= said.days("count_full_days")):
        due.append("full")
    return tuple(due)


def shelves(facility_id: int) -> list[str]:
    """The shelves goods are kept on."""
    rows = run(
        "select distinct shelf from product_shelf where facility_id = :facility and shelf <> '' order by shelf limit 500",
        facility=facility_id,
    )
    return [row.shelf for row in rows]


def counters(count_id: UUID) -> list[Any]:
    """Who counted: how many lines, entries and places, and when last."""
    rows = run(
        """
        select s.name, count(*) as entries, count(distinct e.line_no) as lines, max(e.counted_at) as last_at,
            array_agg(distinct e.place) filter (where e.place <> '') as places
        from count_entry e join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
        where e.count_id = :count group by s.id, s.name order by max(e.counted_at) desc limit 50
        """,
        count=count_id,
    )
    return list(rows)


def open_lines(count_id: UUID, after: int = 0) -> list[Any]:
    """Lines nobody has counted yet, in the order of the list, 50 a page."""
    rows = run(
        f"select n.line_no, n.shelf, n.zone, n.found, {_GOODS}"
        """
        where n.count_id = :count and n.line_no > :after
            and not exists (select from count_entry e where e.tenant_id = n.tenant_id and e.count_id = n.count_id and e.line_no = n.line_no)
        order by n.line_no limit :page
        """,
        count=count_id, after=after, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def counted_lines(count_id: UUID) -> int:
    """How many lines have been counted by now."""
    return int(
        run("select count(distinct line_no) from count_entry where count_id = :count", count=count_id).scalar_one()
    )


def find_lines(count_id: UUID, text: str) -> list[Any]:
    """Lines a scanned or typed text means: a trace code's lot, a barcode, our own on a shelf label too, a lot number, a name or its initials. 20 at most.

    Never a quantity: whoever counts blind reads this.
    """
    plain = unicodedata.normalize("NFKC", text.replace("\x00", "")).strip()
    like = plain.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = run(
        f"select n.line_no, n.shelf, n.zone, n.lot_id, {_GOODS}"
        """
        where n.count_id = :count and (
            (n.lot_id = (select t.lot_id from trace_code t where t.code = :plain)
                and (n.zone = (select t.zone from trace_code t where t.code = :plain)))
            or p.barcode = :plain or p.id = cast(:house as bigint) or lower(l.lot_number) like :like || '%' or p.search like '%' || :like || '%')
        order by n.line_no limit 20
        """,
        count=count_id, plain=plain, like=like, house=product_of(plain),
    )  # fmt: skip
    return list(rows)


def find_code(facility_id: int, code: str) -> Any | None:
    """A code of this facility that may not be on the list: its lot, its zone and its product."""
    return run(
        """
        select t.code, t.lot_id, t.zone, t.state, p.generic_name as name, p.spec, l.lot_number, l.expires_on
        from trace_code t join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
        join product p on p.tenant_id = t.tenant_id and p.id = t.product_id
        where t.code = :code and l.facility_id = :facility
        """,
        code=code.replace("\x00", "")[:100], facility=facility_id,
    ).one_or_none()  # fmt: skip


def get_line(count_id: UUID, line_no: int) -> tuple[Any, list[Any]]:
    """One line, what the book says of it now, and the entries that stand. Raises NotFound. The screen hides what is blind."""
    line = run(
        f"select n.line_no, n.shelf, n.zone, n.found, coalesce((select b.on_hand from lot_balance b where b.tenant_id = n.tenant_id and b.lot_id = n.lot_id and b.zone = n.zone), 0) as book, {_GOODS}"
        "where n.count_id = :count and n.line_no = :line",
        count=count_id, line=line_no,
    ).one_or_none()  # fmt: skip
    if line is None:
        raise NotFound
    entries = run(
        f"""
        select e.id, e.place, e.quantity, e.counted_at, e.staff_id, e.code_count, s.name as who
        from count_entry e join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
        where e.count_id = :count and e.line_no = :line and {_STANDING} order by e.counted_at limit 50
        """,
        count=count_id, line=line_no,
    )  # fmt: skip
    return line, list(entries)


def entries_of(count_id: UUID, staff_id: int) -> list[Any]:
    """What one person entered last, newest first."""
    rows = run(
        """
        select e.line_no, e.place, e.quantity, e.code_count, e.counted_at, e.source, p.generic_name as name, p.spec, p.pack_size, p.pack_unit, p.base_unit, l.lot_number,
            exists (select from count_entry x where x.tenant_id = e.tenant_id and x.replaces = e.id) as replaced
        from count_entry e join count_line n on n.tenant_id = e.tenant_id and n.count_id = e.count_id and n.line_no = e.line_no
        join product p on p.tenant_id = n.tenant_id and p.id = n.product_id join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
        where e.count_id = :count and e.staff_id = :staff order by e.counted_at desc limit 8
        """,
        count=count_id, staff=staff_id,
    )  # fmt: skip
    return list(rows)


def sheet_lines(count_id: UUID, after: int = 0, most: int = MOST_LINES) -> list[Any]:
    """The list as it goes onto paper or into a file: shelf by shelf."""
    rows = run(
        f"select n.line_no, n.shelf, n.zone, n.book, p.code, {_GOODS} where n.count_id = :count and n.line_no > :after order by n.line_no limit :most",
        count=count_id, after=after, most=most,
    )  # fmt: skip
    return list(rows)


def differences(desk: Desk, count_id: UUID, after: int = 0) -> list[dict[str, Any]]:
    """Lines that differ, are unsure, or whose codes do not fit, 50 a page: with missing, returned and unknown codes by name.

    `untold` are those of which nobody could say yet which packs are gone; they would not be posted.
    """
    rows = run(
        f"select n.line_no, n.lot_id, n.shelf, n.zone, n.book, n.counted, n.difference, n.unsure, n.worth_fen, n.reason, n.reason_note, n.found, p.rx_class, h.on_hand, h.in_codes, {_GOODS}"
        """
        left join lateral (
            select b.on_hand, (select coalesce(sum(t.remaining), 0)::bigint from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
                and t.state in ('IN_STOCK', 'RESERVED', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'IN_TRANSIT')) as in_codes
            from lot_balance b where b.tenant_id = n.tenant_id and b.lot_id = n.lot_id and b.zone = n.zone limit 1
        ) h on true
        where n.count_id = :count and n.line_no > :after and (n.difference <> 0 or n.unsure > 0) order by n.line_no limit :page
        """,
        count=count_id, after=after, page=PAGE + 1,
    )  # fmt: skip
    found = [dict(row) for row in rows.mappings()]
    codes, known = _codes_of(desk, count_id, [row["line_no"] for row in found])
    return [_told(row, codes.get(row["line_no"], {}), scanned=row["line_no"] in known) for row in found]


def _told(row: dict[str, Any], codes: dict[str, dict[str, int]], *, scanned: bool) -> dict[str, Any]:
    """A line with its codes by name: those nobody held (where any pack of it was scanned), those written off that came back."""
    back, missing, on_hand = codes.get("found", {}), codes.get("missing", {}), row["on_hand"] or 0
    line = rules.Differing(
        row["name"], row["lot_id"], row["zone"], row["difference"], back, missing, on_hand, on_hand - int(row["in_codes"] or 0), scanned
    )  # fmt: skip
    named = {"missing": list(missing), "found_codes": list(back)} if scanned else {}
    return row | named | {"untold": bool(row["difference"] and rules.plan_moves([line])[1])}


def _codes_of(
    desk: Desk, count_id: UUID, lines: Sequence[int]
) -> tuple[dict[int, dict[str, dict[str, int]]], set[int]]:
    """By line and what they are: codes nobody held, and codes written off that came back; and the lines of which any pack was scanned."""
    if not lines:
        return {}, set()
    keys = {**desk.keys, "count": count_id, "lines": list(lines)}
    with transaction(settings=desk.settings) as hot:
        codes, scanned = hot.run_all([(statements.LINE_CODES, keys), (statements.SCANNED, keys)], last=True)
    named: dict[int, dict[str, dict[str, int]]] = {}
    for row in codes:
        named.setdefault(row.line_no, {}).setdefault(row.what, {})[row.code] = row.remaining
    return named, {row.line_no for row in scanned}


def odd_codes(count_id: UUID) -> list[Any]:
    """Scanned codes that do not belong where they were scanned: unknown, sold, or lying in another zone by the book."""
    rows = run(
        f"""
        select c.code, e.line_no, e.place, t.state, t.zone, p.generic_name as name, l.lot_number
        from count_code c join count_entry e on e.tenant_id = c.tenant_id and e.id = c.entry_id
        join count_line n on n.tenant_id = e.tenant_id and n.count_id = e.count_id and n.line_no = e.line_no
        join product p on p.tenant_id = n.tenant_id and p.id = n.product_id join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
        left join trace_code t on t.tenant_id = c.tenant_id and t.code = c.code
        where c.count_id = :count and {_STANDING} and (t.code is null or (t.state = 'LOST' and n.difference = 0)
            or (t.state not in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'RESERVED', 'LOST') and e.mark_to >= coalesce((
                select max(m.id) from stock_movement m where m.tenant_id = n.tenant_id and m.document_id = t.document_id and m.lot_id = n.lot_id), 0))
            or (t.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE') and t.zone <> n.zone))
        order by e.line_no, c.code limit 50
        """,
        count=count_id,
    )
    return list(rows)


def totals(count_id: UUID) -> Any:
    """What the differences come to: lines, how many lack a reason, gains and losses at cost, and lines that are unsure."""
    return run(
        """
        select count(*) filter (where difference <> 0) as lines, count(*) filter (where difference <> 0 and reason = '') as unexplained,
            count(*) filter (where unsure > 0) as unsure, count(*) filter (where difference <> 0 and worth_fen is null) as unpriced,
            coalesce(sum(greatest(worth_fen, 0)), 0)::bigint as gain_fen, coalesce(sum(greatest(-worth_fen, 0)), 0)::bigint as loss_fen
        from count_line where count_id = :count and (difference <> 0 or unsure > 0)
        """,
        count=count_id,
    ).one()


def has_counted(count_id: UUID, staff_id: int) -> bool:
    """Say whether a person has entered anything."""
    return bool(
        run(
            "select exists (select from count_entry where count_id = :count and staff_id = :staff)",
            count=count_id,
            staff=staff_id,
        ).scalar_one()
    )
