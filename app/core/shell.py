"""What stands around every page: who is signed in, which rooms they may enter, the language, the way home.

Rooms announce themselves with `add_room`; the rail shows only those that the person may enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from flask_babel import gettext

from app.core import signin
from app.core.signin import needs, public

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("shell", __name__)
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Room:
    """An entry of the rail."""

    endpoint: str
    icon: str
    label: str  # The Chinese word, translated when shown.
    roles: tuple[str, ...]
    order: int
    blueprint: str
    pages: tuple[str, ...] = ()  # Beginnings of the endpoints that belong to it; all of its blueprint when left out.
    kind: str = ""  # Only at facilities of this kind (clinic); everywhere when left out.


def install(app: Flask) -> None:
    """Give every template of the wing its surroundings."""
    app.extensions.setdefault("rooms", [])
    app.extensions.setdefault("pages", [])
    app.register_blueprint(blueprint)
    app.context_processor(_surroundings)


def add_room(
    app: Flask,
    endpoint: str,
    icon: str,
    label: str,
    roles: Sequence[str],
    order: int = 50,
    pages: Sequence[str] = (),
    kind: str = "",
) -> None:
    """Put a room on the rail for these roles. Lower orders stand higher; the first one is the person's home."""
    room = Room(endpoint, icon, label, tuple(roles), order, endpoint.rpartition(".")[0], tuple(pages), kind)
    rooms: list[Room] = app.extensions.setdefault("rooms", [])
    rooms.append(room)
    rooms.sort(key=lambda each: each.order)


@dataclass(frozen=True)
class Page:
    """A tab of a room: one of the pages that stand side by side under its head."""

    group: str  # The endpoint of the rail's entry it belongs to.
    endpoint: str
    label: str
    roles: tuple[str, ...]
    order: int


def add_page(app: Flask, group: str, endpoint: str, label: str, roles: Sequence[str], order: int = 50) -> None:
    """Put a page among the tabs of a room, for these roles. Lower orders stand further left."""
    pages: list[Page] = app.extensions.setdefault("pages", [])
    pages.append(Page(group, endpoint, label, tuple(roles), order))
    pages.sort(key=lambda each: each.order)


def my_pages() -> list[tuple[str, str, bool]]:
    """The tabs beside the page asked for: (endpoint, label, is this one). Empty where a room has no others."""
    who = signin.me_or_none()
    known: list[Page] = current_app.extensions["pages"]
    here = _page_of(request.endpoint or "", known)
    if who is None or here is None:
        return []
    mine = [each for each in known if each.group == here.group and (not each.roles or who.has(*each.roles))]
    return [(each.endpoint, gettext(each.label), each is here) for each in mine]


def _page_of(endpoint: str, known: Sequence[Page]) -> Page | None:
    """The tab an endpoint belongs to: itself, else the one of its blueprint whose address this one continues furthest."""
    exact = [page for page in known if page.endpoint == endpoint]
    same = [page for page in known if page.endpoint.rpartition(".")[0] == endpoint.rpartition(".")[0]]
    here = request.script_root + request.path
    above = [page for page in same if here.startswith(url_for(page.endpoint) + "/")]
    above.sort(key=lambda page: -len(url_for(page.endpoint)))
    return next(iter([*exact, *above, *same]), None)


def my_rooms() -> list[Room]:
    """The rooms that the person asking may enter."""
    who = signin.me_or_none()
    rooms: list[Room] = current_app.extensions["rooms"]
    return [
        room
        for room in rooms
        if who and room.kind in {"", who.facility_kind} and (not room.roles or who.has(*room.roles))
    ]


def _surroundings() -> dict[str, Any]:
    who = signin.me_or_none()
    here = request.blueprint if request else None
    common: dict[str, Any] = {
        "me": who,
        "center": current_app.config["WING"] == "center",
        "demo": is_demo(),
        "tabs": my_pages() if request else [],
        "rooms": [(room.endpoint, room.icon, gettext(room.label), _is_current(room, here)) for room in my_rooms()],
    }
    if who:
        common["facility"] = {
            "id": who.facility_id,
            "name": who.facility_name or who.organization,
            "code": who.facility_code,
        }
        common["district"] = {"code": who.district, "name": who.district_name or who.district}
        common["places"] = [
            (url_for("organizations.go_to", facility_id=key), name, key == who.facility_id) for key, name in who.places
        ]
    return common


def _is_current(room: Room, here: str | None) -> bool:
    if room.pages:
        return (request.endpoint or "").startswith(room.pages)
    same = [each for each in current_app.extensions["rooms"] if each.blueprint == room.blueprint]
    return room.endpoint == request.endpoint if len(same) > 1 else room.blueprint == here


def is_demo() -> bool:
    """Say whether this is a demo site, where demo accounts may come in."""
    return bool(current_app.config.get("DEMO"))


@blueprint.get("/")
@needs()
def home() -> ResponseReturnValue:
    """Go to the first room the person may enter."""
    rooms = my_rooms()
    return redirect(url_for(rooms[0].endpoint if rooms else "account.show"), 303)


@blueprint.get("/language/<code>")
@public
def choose_language(code: str) -> ResponseReturnValue:
    """Show the pages in this language from now on, and go back to where the person was."""
    if code not in {"zh", "en"}:
        abort(404)
    back = request.referrer or ""
    inside = back.startswith(request.host_url)
    answer = redirect(back if inside else url_for("door.sign_in"), 303)
    answer.set_cookie("lang", code, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer
