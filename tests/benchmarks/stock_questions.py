"""What the stock screens ask: as the screens ask it, in plain SQL, and as the browser gets it."""

from __future__ import annotations

from app.core import tenancy
from app.core.hot import statements as counted
from app.facility.db import db
from app.facility.stock.shelf import ledger, lot_queries, queries
from app.facility.stock.shelf.rules import Look
from tests.factories.people import sign_in

URGENT = 90
LOOKS = {
    "first page": {}, "near expiry": {"only": "near"}, "below minimum": {"only": "short"}, "past or held": {"only": "past"}, "by expiry": {"order": "expiry"},
    "by value": {"order": "value"}, "by days of supply": {"order": "days"}, "name part": {"text": "阿莫西林"}, "initials": {"text": "yp43"},
    "end of barcode": {"text": "004321"}, "lot number": {"text": "L600123"}, "zone": {"zone": "COLD"},
}  # fmt: skip
PAGES = {
    "first page": "/stock", "near expiry": "/stock?only=near", "by value": "/stock?order=value", "by days of supply": "/stock?order=days",
    "search": "/stock?q=阿莫西林", "end of barcode": "/stock?q=004321", "lots": "/stock?view=lots&order=expiry", "places": "/stock?view=places",
    "codes": "/stock?view=codes", "movements": "/stock/movements", "damage": "/stock/movements?kind=DM", "turnover 30": "/stock/turnover",
    "turnover 90": "/stock/turnover?days=90",
}  # fmt: skip
# The same questions without fences, counts, words or frames.
FLOOR = {
    "first page": """
        select p.id, p.generic_name, sum(b.on_hand), min(b.expires_on) from product p join lot_balance b on b.tenant_id = p.tenant_id and b.product_id = p.id and b.on_hand > 0
        where p.tenant_id = %(t)s and p.id in (select id from product where tenant_id = %(t)s order by pinyin, id limit 60) group by p.id, p.generic_name, p.pinyin order by p.pinyin, p.id limit 51""",
    "near expiry": """
        select p.id, min(b.expires_on) from product p join lot_balance b on b.tenant_id = p.tenant_id and b.product_id = p.id
        where p.tenant_id = %(t)s and b.facility_id = %(f)s and b.on_hand > 0 and b.expires_on between current_date and current_date + p.expiry_warning_days group by p.id, p.pinyin order by p.pinyin, p.id limit 51""",
    "by value": """
        select b.product_id, sum(b.on_hand * l.cost_price) as cost from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where b.tenant_id = %(t)s and b.facility_id = %(f)s and b.on_hand > 0 group by b.product_id order by cost desc, b.product_id limit 51""",
    "by days of supply": """
        select h.product_id, h.on_hand * 30 / nullif(g.gone, 0) as days from (select product_id, sum(on_hand) as on_hand from lot_balance where tenant_id = %(t)s and facility_id = %(f)s and on_hand > 0 group by product_id) h
        left join (select product_id, -sum(quantity) as gone from stock_movement where tenant_id = %(t)s and facility_id = %(f)s and moved_at >= now() - interval '30 days' and kind in ('SA', 'MX', 'SR') group by product_id) g
            on g.product_id = h.product_id order by days, h.product_id limit 51""",
    "name part": "select id, generic_name from product where tenant_id = %(t)s and search like '%%阿莫西林%%' order by pinyin, id limit 51",
    "movements": """
        select m.*, p.generic_name from (select * from stock_movement where tenant_id = %(t)s and facility_id = %(f)s order by moved_at desc, id desc limit 51) m join product p on p.tenant_id = m.tenant_id and p.id = m.product_id""",
    "turnover 30": """
        select product_id, -sum(quantity) filter (where kind in ('SA', 'MX', 'SR')) as gone from stock_movement where tenant_id = %(t)s and facility_id = %(f)s and moved_at >= now() - interval '30 days'
        group by product_id order by gone limit 51""",
}


def screens(world) -> dict:
    """The screens' own statements, as the application's role."""
    facility = world.pharmacy.facility_id
    asked = {name: lambda look=Look(**kept): queries.list_shelf(facility, look, URGENT) for name, kept in LOOKS.items()}
    asked |= {
        "counts anew": lambda: (queries._kept.clear(), queries.counts(facility, URGENT)),
        "lots by expiry": lambda: lot_queries.list_lots(facility, Look(order="expiry"), URGENT),
        "places": lambda: lot_queries.list_places(facility, Look()),
        "codes": lambda: lot_queries.list_codes(facility, Look()),
        "movements": lambda: ledger.list_movements(facility, ledger.Span.of({})),
        "movements of a seldom kind": lambda: ledger.list_movements(facility, ledger.Span.of({"kind": "DM"})),
        "turnover 30": lambda: ledger.turnover(facility, 30, "gone"),
        "turnover 90": lambda: ledger.turnover(facility, 90, "gone"),
    }
    return {name: _inside(world, ask) for name, ask in asked.items()}


def _inside(world, ask):
    def asked():
        with world.app.app_context(), tenancy.as_tenant(world.pharmacy.tenant_id):
            ask()
            db.session.rollback()

    return asked


def floor(world) -> dict:
    """Plain SQL as the owner, on one open connection."""
    connection = world.owner()
    keys = {"t": world.pharmacy.tenant_id, "f": world.pharmacy.facility_id}
    return {
        name: lambda statement=statement: connection.execute(statement, keys).fetchall()
        for name, statement in FLOOR.items()
    }


def pages(world) -> dict:
    """Whole answers: the door, the tenant, the statements, the page."""
    client = world.app.test_client()
    sign_in(client, world.pharmacy, world.pharmacy.clerk)
    asked = {name: lambda path=path: _page(client, path) for name, path in PAGES.items()}
    asked["first page after a movement"] = lambda: (queries._kept.clear(), _page(client, "/stock"))
    return asked


def _page(client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"


def statements(world) -> int:
    """How many statements the first page takes once the counts are kept."""
    client = world.app.test_client()
    sign_in(client, world.pharmacy, world.pharmacy.clerk)
    _page(client, "/stock")
    with counted() as ran:
        _page(client, "/stock")
    return len(ran)
