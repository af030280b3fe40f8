"""What every recall does to stock, whoever started it: freeze its lots, set its packs aside, say so in facts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from app.facility.stock import events, ledger, rulebook
from app.facility.stock.ledger import as_json
from app.facility.stock.recalls import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

Facts = dict[int, list[dict[str, Any]]]  # By facility, as `append_facts` takes them.


def freeze_lots(hot: Hot, keys: Mapping[str, Any]) -> dict[int, list[Any]]:
    """Freeze the lots meant (`products`, `lots`, `only` one facility or all); returns them with where they lie, by facility."""
    _, rows = hot.run_all([(statements.HOLD, keys), (statements.LOTS, keys)])
    return {facility: list(lots) for facility, lots in groupby(rows, key=lambda row: row.facility_id)}


def set_packs_aside(
    hot: Hot,
    desk: Desk,
    facility: int,
    document: UUID,
    at: datetime,
    codes: Sequence[str],
    reason: str,
    number: str | Callable[[], str] = "",
) -> tuple[list[dict[str, Any]], list[str]]:
    """Move the packs named out of the selling zones; returns the facts and the codes that were there and free."""
    keys = {"tenant": desk.tenant_id, "facility": facility, "codes": list(codes)}
    rows = hot.run(statements.PACKS, keys)
    moves = [
        ledger.Move(line, lot, sum(row.remaining for row in held), zone, "QUARANTINE", tuple(row.code for row in held))
        for line, ((lot, zone), held) in enumerate(
            ((key, list(group)) for key, group in groupby(rows, key=lambda row: (row.lot_id, row.zone))), 1
        )
    ]
    if not moves:
        return [], []
    posted = ledger.post(
        hot, desk, rulebook.ACTS["hold"], document, at, moves, ledger.Story(reason), number=number, letter="Z", facility_id=facility, tell=False
    )  # fmt: skip
    return msgspec.json.decode(posted.fact), [row.code for row in rows]


def write_places(
    hot: Hot, keys: Mapping[str, Any], lots: Mapping[int, Sequence[Any]], facilities: Sequence[int]
) -> None:
    """Note for each facility what was frozen there, also where that is nothing."""
    places = [{"facility_id": each, "lots": len(lots.get(each, ())), "quantity": units_of(lots.get(each, ()))} for each in facilities]  # fmt: skip
    hot.run(statements.PLACES, {**keys, "places": as_json(places)})


def units_of(lots: Sequence[Any]) -> int:
    """How many base units of these lots are in the house."""
    return sum(zone["quantity"] for row in lots for zone in row.zones)


def append(hot: Hot, desk: Desk, facts: Facts) -> None:
    """Put each facility's facts into its stream, in the order of their ids: the last locks of the act."""
    for facility in sorted(facts):
        ledger.append(hot, desk, as_json(facts[facility]), facility)


def held_fact(
    recall: UUID, number: str, at: datetime, operator: str, lots: Sequence[Any], **more: Any
) -> dict[str, Any]:
    """One facility's lot.held for a recall."""
    return events.lot_held(recall, number, at, operator, lots, recall=recall, **more)
