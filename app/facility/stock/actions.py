"""What people do at the shelf: open a pack for single units. Everything posts through `post_movements`; goods come in by `receiving`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, rulebook, statements
from app.facility.stock.errors import (
    CodesDoNotFit,
    NotEnoughInZone,
    NothingToSplit,
    SplitNotAllowed,
)

if TYPE_CHECKING:
    from app.core.hot import Hot
    from app.core.tenancy import Desk

_json = msgspec.json.Encoder(decimal_format="string").encode


@hot_action
def open_pack(desk: Desk, product_id: int, code: str | None = None) -> int:
    """Open one whole pack so that single units can be sold from it (拆零, movement SP); returns the lot opened.

    The pack of the scanned code, else of the lot soonest to expire; a pack with a code keeps its code and what is left in
    it. Raises SplitNotAllowed, NothingToSplit.
    """
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "product": product_id, "code": code, "today": clock.business_date()}
        pack = hot.run(statements.PACK_TO_OPEN, keys)
        if not pack or not pack[0].split_allowed:
            raise SplitNotAllowed(name=pack[0].name if pack else "")
        found = pack[0]
        if found.lot_id is None:
            raise NothingToSplit(name=found.name)
        _open(hot, desk, found, code)
        return int(found.lot_id)


def _open(hot: Hot, desk: Desk, pack: Any, scanned: str | None) -> None:
    at = clock.now()
    document = uuid5(UUID(int=desk.tenant_id), f"split:{pack.lot_id}:{at.timestamp()}")
    codes = (str(pack.code),) if pack.code else ()
    move = ledger.Move(1, pack.lot_id, pack.pack_size, pack.zone, rulebook.SPLIT, codes)
    try:
        ledger.post(hot, desk, rulebook.ACTS["split"], document, at, [move])
    except (CodesDoNotFit, NotEnoughInZone) as taken:
        if scanned:
            raise
        raise pg.SerializationFailure from taken  # Another till took this very pack: choose again.
