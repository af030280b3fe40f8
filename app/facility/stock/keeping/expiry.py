"""Near expiry (近效期) and open packs (拆零): what comes to its end, how urgent it is, and expired goods set aside in one act."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.db import hot_action, run, transaction
from app.facility.organizations import parameter_table, parameters
from app.facility.stock.keeping import actions, statements
from app.facility.stock.keeping.rules import MOST_LINES, Line, Paper

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.stock.keeping.actions import Answer

PAGE = 50
URGENT_DAYS = 90
ZONES = ("SALEABLE", "COLD", "CONTROLLED", "SPLIT", "RECEIVING", "QUARANTINE", "RETURN_OUT")
EXPIRED = "过期"

# What is past its day and not yet among the rejects; what a till holds at this moment waits for the next call.
PAST = """
select b.lot_id, b.zone, b.on_hand from lot_balance b
where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.on_hand > 0 and b.reserved = 0 and b.expires_on < %(today)s
    and b.zone = any(%(zones)s)
order by b.lot_id, b.zone limit %(most)s
"""

NEAR = """
select b.lot_id, b.zone, b.on_hand, b.reserved, b.expires_on, l.lot_number, l.hold, l.cost_price, p.id as product_id, p.generic_name, p.spec, p.maker,
    p.pack_size, p.pack_unit, p.base_unit, p.expiry_warning_days, p.national_code, round(b.on_hand::numeric / p.pack_size * l.cost_price * 100)::bigint as worth_fen
from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
where b.facility_id = :facility and b.on_hand > 0 and b.zone = any(:zones)
    and b.expires_on <= greatest(:today + p.expiry_warning_days, :urgent)
"""


@hot_action
def set_expired_aside(desk: Desk, document: UUID) -> Answer | None:
    """Put all expired goods of the facility among the rejects, in one paper (过期转不合格); None when there are none.

    At most two hundred lots and zones at once; the rest with the next paper. Sent again it changes nothing.
    """
    keys = {**desk.keys, "today": clock.business_date(), "zones": list(ZONES), "most": MOST_LINES, "document": document}
    with transaction(settings=desk.settings) as hot:
        known = hot.run(statements.KNOWN, keys)
        rows = hot.run(PAST, keys)
    if known:
        return actions.Answer(known[0].number, known[0].state)
    lines = tuple(Line(row.lot_id, row.on_hand, row.zone, "REJECT") for row in rows)
    return actions.ask_document(desk, document, Paper("reject", lines, EXPIRED)) if lines else None


def urgent_days() -> int:
    """How many days before the end goods are urgent; the site's own figure where it has one."""
    return parameters.here().days("urgent_days") if "urgent_days" in parameter_table.BY_NAME else URGENT_DAYS


def list_near(facility_id: int, only: str = "", after: tuple[date, int, str] | None = None) -> list[Any]:
    """Goods that are near their end or past it, soonest first, 50 a page. `only`: past, urgent or warn."""
    today = clock.business_date()
    day, lot, zone = after or (date.min, 0, "")
    rows = run(
        f"""{NEAR}
            and (b.expires_on, b.lot_id, b.zone) > (:day, :after_lot, :after_zone)
            and (:only = '' or (:only = 'past' and b.expires_on < :today) or (:only = 'urgent' and b.expires_on between :today and :urgent)
                or (:only = 'warn' and b.expires_on > :urgent))
        order by b.expires_on, b.lot_id, b.zone limit :page
        """,
        facility=facility_id, zones=list(ZONES), today=today, urgent=today + timedelta(days=urgent_days()), only=only, day=day, after_lot=lot,
        after_zone=zone, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def count_near(facility_id: int) -> Any:
    """How many lots are past, urgent and near their end, and what they cost."""
    today = clock.business_date()
    return run(
        f"""
        select count(*) filter (where expires_on < :today) as past, count(*) filter (where expires_on between :today and :urgent) as urgent,
            count(*) filter (where expires_on > :urgent) as warn, coalesce(sum(worth_fen), 0)::bigint as worth_fen
        from ({NEAR}) n
        """,
        facility=facility_id, zones=list(ZONES), today=today, urgent=today + timedelta(days=urgent_days()),
    ).one()  # fmt: skip


def list_open(facility_id: int, after: tuple[date, int] | None = None) -> list[Any]:
    """Opened packs with what is left in them and since when they are open, soonest to expire first, 50 a page.

    Open since: the day on which the lot's split zone last held nothing before.
    """
    day, lot = after or (date.min, 0)
    rows = run(
        """
        select b.lot_id, b.zone, b.on_hand, b.reserved, b.expires_on, l.lot_number, l.hold, p.id as product_id, p.generic_name, p.spec, p.maker, p.pack_size,
            p.pack_unit, p.base_unit, p.expiry_warning_days, (m.moved_at at time zone 'Asia/Shanghai')::date as opened_on, c.codes
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
        left join lateral (
            select moved_at from stock_movement m where m.tenant_id = b.tenant_id and m.lot_id = b.lot_id and m.zone = 'SPLIT' and m.quantity > 0
                and m.balance = m.quantity order by m.id desc limit 1) m on true
        left join lateral (
            select array_agg(t.code order by t.code) as codes from (
                select code from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.state = 'SPLIT_OPEN' order by code limit 20) t) c on true
        where b.facility_id = :facility and b.zone = 'SPLIT' and b.on_hand > 0 and p.rx_class <> 'HERB' and (b.expires_on, b.lot_id) > (:day, :after_lot)
        order by b.expires_on, b.lot_id limit :page
        """,
        facility=facility_id, day=day, after_lot=lot, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)
