"""What people do at the shelf that moves nothing: say where a product lies and how much of it should."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from app.core import clock, trail
from app.core.errors import NotFound, WrongInput
from app.facility.db import action, run
from app.facility.stock.rules import MOST_UNITS
from app.facility.stock.shelf.errors import PlaceNotTaken

if TYPE_CHECKING:
    from app.core.tenancy import Desk

LONGEST_SHELF = 20

PLACE = """
insert into product_shelf (facility_id, product_id, shelf, least, most, staff_id, changed_at)
values (:facility, :product, :shelf, cast(:least as bigint), cast(:most as bigint), :staff, :at)
on conflict on constraint product_shelf_pkey do update set shelf = excluded.shelf, least = excluded.least, most = excluded.most, staff_id = excluded.staff_id, changed_at = excluded.changed_at
"""


@action
def place_product(desk: Desk, product_id: int, shelf: str, least: int | None, most: int | None) -> None:
    """Say on which shelf a product lies (货位) and between which limits it is kept (下限、上限, in base units). Raises PlaceNotTaken, NotFound."""
    written = " ".join(unicodedata.normalize("NFKC", shelf).upper().split())
    if len(written) > LONGEST_SHELF or not written.isprintable():
        raise PlaceNotTaken(why="货位最多 20 个字")
    if least is not None and most is not None and least > most:
        raise PlaceNotTaken(why="下限不能大于上限")
    if max(least or 0, most or 0) > MOST_UNITS:
        raise PlaceNotTaken(why="上下限太大")
    if run("select id from product where id = :product", product=product_id).one_or_none() is None:
        raise NotFound
    run(
        PLACE, facility=desk.facility_id, product=product_id, shelf=written, least=least, most=most, staff=desk.staff_id, at=clock.now()
    )  # fmt: skip
    trail.record("stock.place.changed", f"product/{product_id}", shelf=written, least=least, most=most)


def packs(typed: str, what: str) -> int | None:
    """A number of packs as typed; None where nothing was. Raises WrongInput."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise WrongInput(what=what, why="请填整数，空着是不设")
    return int(text)
