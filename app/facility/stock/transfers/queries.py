"""What screens may read of transfers. A facility sees those it sent and those sent to it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.catalog import queries as catalog
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

PAGE = 50
VIEWS = ("coming", "sent", "claims", "done")
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

# Each view stands on an index of its own: one facility, one order, a keyset.
_SIDE = {
    "coming": "t.to_facility_id = :facility and t.state = 'sent'",
    "sent": "t.from_facility_id = :facility",
    "done": "t.to_facility_id = :facility and t.state <> 'sent'",
}
_HEAD = """
select t.id, t.number, t.state, t.note, t.line_count, t.sent_at, t.received_at, t.from_facility_id, t.to_facility_id, f.name as from_name,
    g.name as to_name, s.name as sender, r.name as receiver
from transfer t join facility f on f.tenant_id = t.tenant_id and f.id = t.from_facility_id
join facility g on g.tenant_id = t.tenant_id and g.id = t.to_facility_id
join staff s on s.tenant_id = t.tenant_id and s.id = t.staff_id
left join staff r on r.tenant_id = t.tenant_id and r.id = t.received_by
"""


def list_transfers(facility_id: int, view: str, before: tuple[datetime, UUID] | None = None) -> list[Any]:
    """Transfers of one view, newest first, 50 a page: coming (在途到本店), sent (本店发出), claims (有差异), done (本店已收)."""
    at, last = before or (clock.now(), _LAST)
    page = "(t.sent_at, t.id) < (:at, cast(:last as uuid)) order by t.sent_at desc, t.id desc limit :page"
    if view == "claims":  # Both ends, each from its own index.
        both = " union all ".join(
            f"(select t.id from transfer t where t.{side} = :facility and t.state = 'claimed' and {page})"
            for side in ("from_facility_id", "to_facility_id")
        )
        where = f"where t.id in (select id from ({both}) ids) and {page}"
    else:
        where = f"where {_SIDE[view]} and {page}"
    return list(run(_HEAD + where, facility=facility_id, at=at, last=str(last), page=PAGE + 1))


def counts(facility_id: int) -> Any:
    """How many transfers are on their way here, and how many have open differences."""
    return run(
        """
        select (select count(*) from (select from transfer where to_facility_id = :facility and state = 'sent' limit 1000) c) as coming,
            (select count(*) from (select from transfer where from_facility_id = :facility and state = 'claimed' limit 1000) c)
            + (select count(*) from (select from transfer where to_facility_id = :facility and state = 'claimed' limit 1000) c) as claims
        """,
        facility=facility_id,
    ).one()


def get_transfer(facility_id: int, transfer_id: UUID) -> tuple[Any, list[Any]]:
    """A transfer and its lines, for either of its two ends. Raises NotFound."""
    head = run(f"{_HEAD} where t.id = :id and :facility in (t.from_facility_id, t.to_facility_id)", id=transfer_id, facility=facility_id).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound
    lines = run(
        """
        select n.*, n.quantity - n.received - n.found - n.back - n.lost as open, l.lot_number, l.produced_on, l.expires_on,
            coalesce(k.hold, l.hold) as hold, p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit, p.barcode, c.codes
        from transfer_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.from_lot_id
        left join lot k on k.tenant_id = n.tenant_id and k.id = n.to_lot_id
        join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
        cross join lateral (
            select coalesce(jsonb_object_agg(c.code, jsonb_build_object('state', c.state, 'quantity', c.quantity)), '{}') as codes
            from transfer_code c where c.tenant_id = n.tenant_id and c.transfer_id = n.transfer_id and c.line_no = n.line_no) c
        where n.transfer_id = :id order by n.line_no limit 200
        """,
        id=transfer_id,
    )
    return head, list(lines)


def list_claims(transfer_id: UUID) -> list[Any]:
    """How the differences of a transfer were settled, oldest first. Ask `get_transfer` before: it knows whose this is."""
    rows = run(
        """
        select c.line_no, c.outcome, c.quantity, c.zone, c.note, c.settled_at, s.name as staff, b.name as second, f.name as facility,
            p.generic_name, p.pack_size, p.pack_unit, p.base_unit
        from transfer_claim c join transfer_line n on n.tenant_id = c.tenant_id and n.transfer_id = c.transfer_id and n.line_no = c.line_no
        join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
        join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id join facility f on f.tenant_id = c.tenant_id and f.id = c.facility_id
        left join staff b on b.tenant_id = c.tenant_id and b.id = c.second_id
        where c.transfer_id = :id order by c.settled_at, c.id limit 500
        """,
        id=transfer_id,
    )
    return list(rows)


def places(facility_id: int) -> list[Any]:
    """Where goods may be sent from here: the organization's other open facilities."""
    return list(
        run(
            "select id, name from facility where id <> :facility and closed_at is null order by name, id limit 200",
            facility=facility_id,
        )
    )


# ---- drafts ----


def list_drafts(facility_id: int) -> list[Any]:
    """Transfers being put together here, the latest first."""
    return list(
        run(
            """
            select d.id, d.changed_at, d.content, s.name as staff, f.name as to_name
            from transfer_draft d join staff s on s.tenant_id = d.tenant_id and s.id = d.staff_id
            cross join lateral (select (
                select name from facility f where f.tenant_id = d.tenant_id and f.id = (d.content ->> 'to')::bigint) as name) f
            where d.facility_id = :facility and d.kind = 'send' and d.state = 'open' order by d.changed_at desc, d.id desc limit 20
            """,
            facility=facility_id,
        )
    )


def find_draft(facility_id: int, draft_id: UUID, kind: str) -> Any | None:
    """An open draft of this facility; None when there is none."""
    return run(
        "select id, content, changed_at from transfer_draft where id = :id and kind = :kind and facility_id = :facility and state = 'open'",
        id=draft_id, kind=kind, facility=facility_id,
    ).one_or_none()  # fmt: skip


_PLACE = """
    l.id as lot_id, l.lot_number, l.expires_on, l.hold, b.zone, b.on_hand - b.reserved as free, p.id as product_id, p.code, p.generic_name, p.trade_name, p.spec,
    p.maker, p.pack_size, p.pack_unit, p.base_unit, p.barcode, p.expiry_warning_days
"""


def lots_on_shelf(facility_id: int, lot_ids: Sequence[int]) -> dict[tuple[int, str], Any]:
    """What lies of these lots where, by lot and zone."""
    if not lot_ids:
        return {}
    rows = run(
        f"""
        select {_PLACE}, (
            select coalesce(jsonb_object_agg(t.code, t.remaining), '{{}}') from (
                select code, remaining from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
                    and t.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN') order by code limit 5000) t) as codes
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
        where b.facility_id = :facility and b.lot_id = any(:lots) and b.on_hand > 0 order by b.lot_id, b.zone limit 800
        """,
        facility=facility_id,
        lots=list(lot_ids),
    )
    return {(row.lot_id, row.zone): row for row in rows}


def find_places(facility_id: int, text: str, zones: Sequence[str]) -> list[Any]:
    """Lots on the shelf by barcode, product code, pinyin or part of a name, or lot number; soonest to expire first, eight at most."""
    plain = unicodedata.normalize("NFKC", text.replace("\x00", "")).lower().strip()[:60]
    escaped = catalog.own_code(plain).lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if not plain:
        return []
    rows = run(
        f"""
        select {_PLACE}
        from product p join lot_balance b on b.tenant_id = p.tenant_id and b.product_id = p.id and b.facility_id = :facility and b.on_hand > b.reserved
        join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where (p.search like '%' || :text || '%' or lower(l.lot_number) = :plain) and b.zone = any(:zones)
        order by p.pinyin, p.id, l.expires_on, l.id, b.zone limit 8
        """,
        facility=facility_id, text=escaped, plain=plain, zones=list(zones),
    )  # fmt: skip
    return list(rows)


def find_pack(facility_id: int, code: str) -> Any | None:
    """Where the pack of a trace code lies here; None when it is not this facility's."""
    return run(
        """
        select t.code, t.state, t.zone, t.lot_id, t.remaining, t.reserved, p.generic_name
        from trace_code t join product p on p.tenant_id = t.tenant_id and p.id = t.product_id
        where t.code = :code and t.facility_id = :facility
        """,
        code=code, facility=facility_id,
    ).one_or_none()  # fmt: skip


# ---- moves between zones ----


def list_moves(facility_id: int, before: tuple[datetime, UUID] | None = None) -> list[Any]:
    """Moves between zones of this facility, newest first, 50 a page, with their lines."""
    at, last = before or (clock.now(), _LAST)
    rows = run(
        """
        select d.id, d.number, d.reason, d.asked_at, s.name as staff, n.lines
        from stock_document d join staff s on s.tenant_id = d.tenant_id and s.id = d.staff_id
        cross join lateral (
            select jsonb_agg(jsonb_build_object('name', p.generic_name, 'lot', l.lot_number, 'from', n.from_zone, 'to', n.to_zone, 'quantity', n.quantity,
                'pack_size', p.pack_size, 'pack_unit', p.pack_unit, 'base_unit', p.base_unit) order by n.line_no) as lines
            from stock_document_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
            join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
            where n.tenant_id = d.tenant_id and n.document_id = d.id) n
        where d.facility_id = :facility and d.act = 'move' and (d.asked_at, d.id) < (:at, cast(:last as uuid))
        order by d.asked_at desc, d.id desc limit :page
        """,
        facility=facility_id, at=at, last=str(last), page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def homes(facility_id: int, transfer_id: UUID) -> dict[int, str]:
    """In which selling zone whole packs of each line's lot lie here already; lines whose lot is new here are left out."""
    rows = run(
        """
        select n.line_no, min(b.zone) as zone
        from transfer_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.from_lot_id
        join lot m on m.tenant_id = l.tenant_id and m.facility_id = :facility and m.product_id = l.product_id
            and m.lot_number = l.lot_number and m.expires_on = l.expires_on
        join lot_balance b on b.tenant_id = m.tenant_id and b.lot_id = m.id and b.on_hand > 0 and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED')
        where n.transfer_id = :id group by n.line_no order by n.line_no limit 200
        """,
        facility=facility_id,
        id=transfer_id,
    )
    return {row.line_no: row.zone for row in rows}


def is_done(facility_id: int, draft_id: UUID, kind: str) -> bool:
    """Whether a draft of this facility became a paper: a form sent twice finds it so."""
    found = run(
        "select from transfer_draft where id = :id and kind = :kind and facility_id = :facility and state = 'done'",
        id=draft_id, kind=kind, facility=facility_id,
    ).one_or_none()  # fmt: skip
    return found is not None
