"""Baskets put aside (挂单) while the customer fetches a card, and taken back (取单) at whichever station is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.core import clock
from app.facility.counter import baskets, rules
from app.facility.counter.errors import StaleBasket, TooMany
from app.facility.db import action, run

if TYPE_CHECKING:
    from app.core.tenancy import Desk

MOST_HELD = 20


def list_held(desk: Desk) -> list[Any]:
    """Held baskets of this facility, latest first."""
    rows = run(
        "select id, changed_at, content::text as content from basket where facility_id = :facility and state = 'held' order by changed_at desc limit :most",
        facility=desk.facility_id,
        most=MOST_HELD,
    )
    return [(row.id, row.changed_at, baskets.read(row.content)) for row in rows]


@action
def hold(desk: Desk, basket_id: UUID, label: str = "") -> None:
    """Put the basket aside for a while (挂单)."""
    if len(list_held(desk)) >= MOST_HELD:
        raise TooMany(what="挂单", most=MOST_HELD)

    def name(basket: rules.Basket) -> None:
        basket.label = label[:40]

    baskets.edit(desk, basket_id, None, name)
    run("update basket set state = 'held' where id = :id and state = 'open'", id=basket_id)


@action
def put_aside(desk: Desk, basket_id: UUID) -> None:
    """F4: hold an open basket; let a basket whose outcome is unknown be finished in the background, or stay finished."""
    moved = run(
        "update basket set state = 'closed' where id = :id and facility_id = :facility and state in ('asked', 'closed') returning id",
        id=basket_id,
        facility=desk.facility_id,
    ).one_or_none()
    if moved is None:
        hold(desk, basket_id)


@action
def resume(desk: Desk, basket_id: UUID) -> None:
    """Take a held basket to this station (取单). The basket open here, if any, is held in its place."""
    held = run(
        "select state from basket where id = :id and facility_id = :facility for update",
        id=basket_id,
        facility=desk.facility_id,
    ).one_or_none()
    if held is None or held.state != "held":
        raise StaleBasket
    empty = "jsonb_array_length(coalesce(content -> 'lines', '[]')) = 0 and content ->> 'identification' is null"
    run(
        f"update basket set state = case when {empty} then 'closed' else 'held' end, changed_at = :at where facility_id = :facility and station = :station and state = 'open'",
        facility=desk.facility_id, station=desk.station, at=clock.now(),
    )  # fmt: skip
    run(
        "update basket set state = 'open', station = :station, staff_id = :staff, version = version + 1, changed_at = :at where id = :id",
        id=basket_id, station=desk.station, staff=desk.staff_id, at=clock.now(),
    )  # fmt: skip
