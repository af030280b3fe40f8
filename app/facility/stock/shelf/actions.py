"""What people do at the shelf that moves nothing: say where a product lies and how much of it should."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from app.core import clock, trail
from app.core.errors import NotFound, WrongInput
from app.facility.db import action, run
from app.facility.stock.rules import MOST_UNITS
from app.facility.stock.shelf.errors import PlaceNotTaken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.tenancy import Desk

LONGEST_SHELF = 20
_json = msgspec.json.Encoder().encode

# What is said already is not written again.
PLACE = """
insert into product_shelf (facility_id, product_id, shelf, least, most, staff_id, changed_at)
select cast(:facility as bigint), r.product, r.shelf, r.least, r.most, cast(:staff as bigint), cast(:at as timestamptz)
from jsonb_to_recordset(cast(:rows as jsonb)) as r(product bigint, shelf text, least bigint, most bigint) order by r.product
on conflict on constraint product_shelf_pkey do update
    set shelf = excluded.shelf, least = excluded.least, most = excluded.most, staff_id = excluded.staff_id, changed_at = excluded.changed_at
where (product_shelf.shelf, product_shelf.least, product_shelf.most) is distinct from (excluded.shelf, excluded.least, excluded.most)
"""


@dataclass(frozen=True)
class Place:
    """Where one product lies (货位) and between which limits it is kept (下限、上限), in base units."""

    product: int
    shelf: str
    least: int | None = None
    most: int | None = None


@action
def place_products(desk: Desk, places: Sequence[Place]) -> None:
    """Say on which shelves products lie and between which limits they are kept, all or none. Raises PlaceNotTaken, NotFound."""
    written = [replace(place, shelf=shelf_name(place.shelf)) for place in places]
    for place in written:
        _check(place)
    products = [place.product for place in written]
    known = run("select count(*) from product where id = any(:products)", products=products).scalar_one()
    if known != len(products):
        raise NotFound
    rows = _json([asdict(place) for place in written]).decode()
    run(PLACE, facility=desk.facility_id, staff=desk.staff_id, at=clock.now(), rows=rows)
    if len(written) == 1:
        [only] = written
        trail.record("stock.place.changed", f"product/{only.product}", shelf=only.shelf, least=only.least, most=only.most)  # fmt: skip
    else:
        trail.record("stock.places.changed", f"facility/{desk.facility_id}", count=len(written))


def shelf_name(text: str) -> str:
    """A shelf as it is written down: capitals, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).upper().split())


def fits(shelf: str) -> bool:
    """Say whether a shelf's name can be written down."""
    return len(shelf) <= LONGEST_SHELF and shelf.isprintable()


def _check(place: Place) -> None:
    if not fits(place.shelf):
        raise PlaceNotTaken(why="货位最多 20 个字")
    if place.least is not None and place.most is not None and place.least > place.most:
        raise PlaceNotTaken(why="下限不能大于上限")
    if not all(0 <= (limit or 0) <= MOST_UNITS for limit in (place.least, place.most)):
        raise PlaceNotTaken(why="上下限太大")


def packs(typed: str, what: str) -> int | None:
    """A number of packs as typed; None where nothing was. Raises WrongInput."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise WrongInput(what=what, why="请填整数，空着是不设")
    return int(text)
