"""The life of a lot, and of a product at a facility. A figure is the sum of the lines shown under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 50
MOST_GROUPS = 100

SUMS = """
    coalesce(sum(l.quantity) filter (where l.kind = 'received'), 0)::bigint as received,
    coalesce(sum(l.quantity) filter (where l.kind = 'sold'), 0)::bigint as sold,
    coalesce(sum(l.quantity) filter (where l.kind = 'refunded' and l.goods <> 'kept'), 0)::bigint as returned,
    (coalesce(sum(l.quantity) filter (where l.kind = 'moved' and l.from_zone is null), 0)
        - coalesce(sum(l.quantity) filter (where l.kind = 'moved' and l.to_zone is null), 0))::bigint as moved
"""

LOT_BY_FACILITY = f"""
    select l.stream, coalesce(i.name, l.stream) as institution, l.district, l.product, max(l.name) as name,
        max(l.spec) as spec, max(l.maker) as maker, max(l.expires_on) as expires_on, max(l.pack_size) as pack_size, {SUMS}
    from movement_line l left join institution i on i.code = l.stream
    where l.lot = :lot and not l.orphaned and (:name = '' or l.name = :name)
    group by l.stream, i.name, l.district, l.product
    order by min(l.at), l.stream, l.product
    limit :most
"""

PRODUCT_BY_LOT = f"""
    select l.lot, max(l.expires_on) as expires_on, max(l.pack_size) as pack_size, {SUMS}
    from movement_line l
    where l.stream = :stream and l.product = :product and not l.orphaned
    group by l.lot
    order by max(l.expires_on), l.lot
    limit :most
"""

# The newest line names the product; the sums are over everything ever told.
PRODUCT = f"""
    select s.*, coalesce(i.name, :stream) as institution, n.district, n.name, n.spec, n.maker, n.national, n.approval
    from (
        select {SUMS}, max(l.pack_size) as pack_size from movement_line l
        where l.stream = :stream and l.product = :product and not l.orphaned
    ) as s
    join lateral (
        select * from movement_line l where l.stream = :stream and l.product = :product and not l.orphaned
        order by l.at desc, l.number desc limit 1
    ) as n on true
    left join institution i on i.code = :stream
"""

LINE = """
    l.stream, l.epoch, l.number, l.line, l.kind, l.at, l.document, l.product, l.name, l.lot, l.expires_on, l.quantity,
    l.pack_size, l.split, l.amount_fen, l.goods, l.code_count, l.act, l.from_zone, l.to_zone, m.receipt, m.paid, m.operator,
    coalesce(i.name, l.stream) as institution
"""

LINES = f"""
    select {LINE}
    from movement_line l
    join movement m on m.stream = l.stream and m.epoch = l.epoch and m.number = l.number
    left join institution i on i.code = l.stream
    where %s and not l.orphaned
        and (cast(:at as timestamptz) is null or (l.at, l.stream, l.number, l.line) < (:at, :after_stream, :number, :line))
    order by l.at desc, l.stream desc, l.number desc, l.line desc
    limit :most
"""
LOT_LINES = LINES % "l.lot = :lot and (:name = '' or l.name = :name)"
PRODUCT_LINES = LINES % "l.stream = :stream and l.product = :product"
NO_KEY = {"at": None, "after_stream": "", "number": 0, "line": 0}


def get_lot(lot: str, name: str = "") -> Sequence[Any]:
    """What came in and went out of a lot, facility by facility (批号去向)."""
    rows = run(LOT_BY_FACILITY, lot=lot, name=name, most=MOST_GROUPS).all()
    if not rows:
        raise NotFound
    return rows


def list_lot_lines(lot: str, name: str = "", after: dict[str, Any] | None = None) -> tuple[Sequence[Any], Any | None]:
    """The lines of a lot, newest first; returns the page and the last row when there is more."""
    return _page(run(LOT_LINES, lot=lot, name=name, most=PAGE + 1, **(after or NO_KEY)).all())


def get_product(stream: str, product: str) -> Any:
    """A product at a facility: received − sold + returned ± moved in or out = what should be there (进销存等式)."""
    row = run(PRODUCT, stream=stream, product=product).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_product_lots(stream: str, product: str) -> Sequence[Any]:
    """The lots of a product at a facility, soonest to expire first."""
    return run(PRODUCT_BY_LOT, stream=stream, product=product, most=MOST_GROUPS).all()


def list_product_lines(
    stream: str, product: str, after: dict[str, Any] | None = None
) -> tuple[Sequence[Any], Any | None]:
    """The lines of a product at a facility, newest first."""
    return _page(run(PRODUCT_LINES, stream=stream, product=product, most=PAGE + 1, **(after or NO_KEY)).all())


def _page(rows: Sequence[Any]) -> tuple[Sequence[Any], Any | None]:
    return rows[:PAGE], rows[PAGE - 1] if len(rows) > PAGE else None
