"""Who is asking: sessions, roles, and whose data a request may see. The same mechanism for both wings.

A session is a signed cookie of its wing that holds ids, never rights: whose they are and what they may do is asked from
the database with one light statement, and believed for at most a second. So disabling a person, a new password or
another role takes effect at once on every machine, and a burst at the till costs no statement at all.

A wing tells how through a `Keeper`; its room hands it over with `keep` when its blueprint is registered.
"""

from __future__ import annotations

import functools
import os
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from uuid import uuid4

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    g,
    has_request_context,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask_login import LoginManager, UserMixin, login_user, logout_user

from app.core import clock, personal, tenancy
from app.core.web import answer_failure, csrf, is_htmx

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from app.core.accounts import Account, Accounts

P = ParamSpec("P")
R = TypeVar("R")
View = TypeVar("View", bound="Callable[..., Any]")

BELIEVED_SECONDS = 1.0
MOST_BELIEVED = 20_000
NOTED_SECONDS = 60  # How often a busy session's cookie is written again.
STEP_SECONDS = 600  # How long the door waits for the second factor or the first change.
POLL_HEADER = "X-Poll"  # A page that asks by itself says so: that is nobody's activity.
FULL = "full"


@dataclass(frozen=True)
class Me:
    """The person asking, as of at most a second ago. `tenant_id` is 0 at the center, `facility_id` None there."""

    staff_id: int
    tenant_id: int
    facility_id: int | None
    name: str
    number: str
    roles: frozenset[str]
    district: str = ""
    national_code: str = ""
    terminal: str = "00"  # A browser that no owner has made a terminal sells as 00.
    terminal_id: int | None = None
    organization: str = ""
    facility_name: str = ""
    facility_code: str = ""
    facility_kind: str = ""
    district_name: str = ""
    places: tuple[tuple[int, str], ...] = ()
    has_totp: bool = False
    demo: bool = False
    role_order: tuple[str, ...] = field(default=(), compare=False)

    @property
    def masked_name(self) -> str:
        """张建明 -> 张*明."""
        return personal.mask_name(self.name)

    @property
    def role(self) -> str:
        """The word for what this person mainly is, in the language of the page."""
        words = keeper().words()
        return words.get(self.role_order[0], "") if self.role_order else ""

    def has(self, *roles: str) -> bool:
        """Say whether the person holds one of these roles here and now."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True)
class Ticket:
    """What the cookie holds. `step` is FULL, or what the door still asks: second, enrol, change."""

    realm: int | str
    id: int
    session: str
    version: int
    begun: int
    active: int
    step: str = FULL
    facility: int | None = None
    terminal: int | None = None


@dataclass(frozen=True)
class Keeper:
    """How a wing knows its people."""

    accounts: Accounts
    standing: Callable[[Ticket], Me | None]  # One light statement; None ends the session.
    scope: Callable[[int | str], dict[str, str]]  # Whose rows the person may see.
    settle_in: Callable[[Ticket, str, str], Ticket]  # Chooses facility and terminal: ticket, code typed, device token.
    end: Callable[[Ticket], None]  # Remembers that a session was signed out.
    describe: Callable[[str], str]  # What a typed code stands for, or "".
    words: Callable[[], dict[str, str]]  # Role -> word.
    normal_code: Callable[[str], str] = str.upper
    totp_required: bool = False
    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=7)
    password_days: int = 90


class _Visitor(UserMixin):  # type: ignore[misc]
    def __init__(self, who: Me) -> None:
        self.me = who
        self.id = str(who.staff_id)


# ---- set-up --------------------------------------------------------------------------------------------------------


def install(app: Flask, wing: str) -> None:
    """Put the door before every request of a wing's application."""
    from app.core import account, door, shell

    assert app.config.get("WING", wing) == wing
    app.config["WING"] = wing
    app.config.setdefault("DEMO", os.environ.get("SUNMED_DEMO", "").lower() in {"1", "on", "true", "yes"})
    app.extensions["believed"] = {}
    manager = LoginManager(app)
    manager.session_protection = None  # The ticket has its own ages; a phone may change its address.
    manager.user_loader(_load)
    app.before_request(_before)
    app.teardown_appcontext(_after)
    app.register_blueprint(door.blueprint)
    app.register_blueprint(account.blueprint)
    shell.install(app)


def keep(app: Flask, keeper_of_wing: Keeper) -> None:
    """Tell the door how this wing knows its people. Called when the room's blueprint is registered."""
    app.extensions["keeper"] = keeper_of_wing


def keeper() -> Keeper:
    """The keeper of the present application."""
    return cast("Keeper", current_app.extensions["keeper"])


# ---- what views say ------------------------------------------------------------------------------------------------


def needs(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in only people who hold one of these roles at the present facility; without roles, whoever is signed in."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if roles and not me().has(*roles):
                g.who_may_enter = roles
                abort(403)
            return view(*args, **kwargs)

        guarded.needs_roles = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def public(view: View) -> View:
    """Open a view to everybody, signed in or not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def machines_only(blueprint: Blueprint) -> None:
    """Open a blueprint to machines: no session is read or written, no form token asked; it checks signatures itself."""
    blueprint.is_for_machines = True  # type: ignore[attr-defined]
    csrf.exempt(blueprint)


def me() -> Me:
    """The person asking. Only in views that need somebody signed in."""
    who = me_or_none()
    assert who is not None, "nobody is signed in"
    return who


def me_or_none() -> Me | None:
    """The person asking, or None at the door, in jobs and in commands."""
    return cast("Me | None", g.get("me")) if has_request_context() else None


# ---- every request -------------------------------------------------------------------------------------------------


def _before() -> ResponseReturnValue | None:
    # The center may answer inside a request of the facility, in the same thread: what was set comes back afterwards.
    g.scope_before = tenancy.scope()
    tenancy.enter()
    g.me = None
    if request.endpoint is None or request.endpoint == "static" or _is_for_machines():
        return None
    view = current_app.view_functions[request.endpoint]
    g.me = _whoever_asks()
    if g.me is not None or getattr(view, "is_public", False):
        return None
    return _send_to_door()


def _after(_error: BaseException | None) -> None:
    before = g.pop("scope_before", None)
    if before is not None:
        tenancy.enter(**{name.removeprefix("app."): value for name, value in before})


def _is_for_machines() -> bool:
    blueprint = current_app.blueprints.get(request.blueprint or "")
    return getattr(blueprint, "is_for_machines", False)


def _whoever_asks() -> Me | None:
    ticket = read_ticket()
    if ticket is None or ticket.step != FULL:
        return None
    who = _standing(ticket)
    if who is None:
        forget_session("ended")
        return None
    tenancy.enter(**keeper().scope(ticket.realm))
    _note_activity(ticket)
    return who


def _send_to_door() -> ResponseReturnValue:
    ticket = read_ticket()
    target = url_for("door.sign_in") if ticket is None else url_for(f"door.{ticket.step}")
    if is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = target
        return answer
    if request.accept_mimetypes.best == "application/json" or request.is_json:
        from flask_babel import gettext

        return answer_failure("signed_out", gettext("登录已失效。请重新登录；已输入的内容还在本页。"), 401)
    if request.method == "GET" and ticket is None and request.path != "/":
        target = url_for("door.sign_in", next=request.full_path.rstrip("?"))
    return redirect(target, 303)


def _load(_id: str) -> _Visitor | None:
    return _Visitor(g.me) if g.get("me") else None


# ---- sessions ------------------------------------------------------------------------------------------------------


def begin(account: Account, step: str) -> Ticket:
    """Start a session for an account whose password was right; the old cookie's content is thrown away."""
    moment = int(clock.now().timestamp())
    ticket = Ticket(account.realm, account.id, uuid4().hex, account.session_version, moment, moment, step)
    session.clear()
    write_ticket(ticket)
    return ticket


def write_ticket(ticket: Ticket) -> None:
    """Put the ticket into the cookie."""
    session["ticket"] = asdict(ticket)
    if ticket.step == FULL:
        session["_user_id"] = str(ticket.id)


def read_ticket() -> Ticket | None:
    """The ticket of this request, or None when there is none or it has grown too old."""
    kept = session.get("ticket")
    if kept is None:
        return None
    try:
        ticket = Ticket(**kept)
    except TypeError:  # Written by another version of the product.
        forget_session("ended")
        return None
    if reason := _too_old(ticket):
        forget_session(reason)
        return None
    return ticket


def enter_fully(ticket: Ticket) -> None:
    """Let the person in: the door asks nothing more."""
    write_ticket(replace(ticket, step=FULL))
    who = _standing(replace(ticket, step=FULL))
    if who is None:
        forget_session("ended")
        return
    g.me = who
    tenancy.enter(**keeper().scope(ticket.realm))
    login_user(_Visitor(who))


def move(*, facility: int | None = None, terminal: int | None = None, version: int | None = None) -> None:
    """Go on with the present session at another facility or terminal, or after an own change that ends the others."""
    ticket = read_ticket()
    assert ticket is not None
    changed = replace(
        ticket,
        facility=ticket.facility if facility is None else facility,
        terminal=ticket.terminal if terminal is None else terminal,
        version=ticket.version if version is None else version,
    )
    write_ticket(changed)
    forget(ticket.realm, ticket.id)


def forget_session(reason: str = "") -> None:
    """Throw the cookie's content away; the door says why."""
    logout_user()
    session.clear()
    g.me = None
    if reason:
        session["left"] = reason


def forget(realm: int | str, person_id: int) -> None:
    """Stop believing what was known of a person; the next request asks the database."""
    current_app.extensions["believed"].pop((realm, person_id), None)


def _too_old(ticket: Ticket) -> str:
    moment = clock.now().timestamp()
    if ticket.step != FULL:
        return "step" if moment - ticket.begun > STEP_SECONDS else ""
    if moment - ticket.begun > keeper().longest.total_seconds():
        return "long"
    idle_seconds = current_app.config.get("SESSION_IDLE_SECONDS") or keeper().idle.total_seconds()
    return "idle" if moment - ticket.active > idle_seconds else ""


def _note_activity(ticket: Ticket) -> None:
    moment = int(clock.now().timestamp())
    if moment - ticket.active > NOTED_SECONDS and POLL_HEADER not in request.headers:
        write_ticket(replace(ticket, active=moment))


def _standing(ticket: Ticket) -> Me | None:
    believed: dict[tuple[int | str, int], dict[tuple[Any, ...], tuple[float, Me | None]]] = current_app.extensions[
        "believed"
    ]
    whose = believed.get((ticket.realm, ticket.id), {})
    which = (ticket.session, ticket.version, ticket.facility, ticket.terminal)
    known = whose.get(which)
    if known is not None and time.monotonic() - known[0] < BELIEVED_SECONDS:
        return known[1]
    asked_at = time.monotonic()
    who = keeper().standing(ticket)
    if len(believed) > MOST_BELIEVED:
        believed.clear()
    # Old sessions of the person go with the old entry.
    kept = {key: value for key, value in whose.items() if asked_at - value[0] < BELIEVED_SECONDS}
    believed[ticket.realm, ticket.id] = {**kept, which: (asked_at, who)}
    return who


def here() -> tenancy.Desk:
    """The desk of the person asking: what every act of the facility wing is told of who does it, and where."""
    who = me()
    if who.facility_id is None:  # Every facility of the organization is closed.
        abort(403)
    return tenancy.Desk(
        who.tenant_id, who.facility_id, who.staff_id, f"{who.number} {who.masked_name}", who.terminal_id, who.terminal
    )
