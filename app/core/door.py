"""The door of a wing: signing in, the second factor, the forced first change, one's own account, signing out.

Whether the organization, the name or the password is wrong, the answer is the same and takes the same time. Five
failures lock an account for 15 minutes, one that does not exist too; an address is locked after sixty.
"""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext

from app.core import clock, notices, passwords, personal, shell, signin, tenancy, totp, trail
from app.core.door_forms import ChangeForm, CodeForm, SignInForm
from app.core.errors import Refusal
from app.core.signin import Ticket, keeper, public

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from flask.typing import ResponseReturnValue
    from flask_wtf import FlaskForm

    from app.core.accounts import Account

T = TypeVar("T")

blueprint = Blueprint("door", __name__)
TERMINAL_COOKIE = "sunmed_terminal"
CODE_SECONDS = 90 * 24 * 3600


class WrongSignIn(Refusal):
    """The organization, the name or the password is wrong, or the account may not come in. Never says which."""

    code = "wrong_sign_in"
    sentence = "没有登录：机构代码、姓名或密码不对，或账号已停用。请核对后再试；有同名同事时请用工号。连续 5 次不对会锁定 15 分钟。"
    status = 422


class DoorLocked(Refusal):
    """Too many failures; the right password is refused too until the time is over."""

    code = "door_locked"
    sentence = "失败次数过多，已暂停登录。请 {minutes} 分钟后再试，或请本机构负责人重设密码。"
    status = 429


class WrongCode(Refusal):
    """The code of the second factor is wrong, old, or was used before."""

    code = "wrong_code"
    sentence = "动态码不对或已用过。请等验证器显示下一个 6 位数字，再输入。"
    status = 422


class SamePassword(Refusal):
    """The new password is the old one."""

    code = "same_password"
    sentence = "新密码与现在的密码相同。请换一个没有用过的。"
    status = 422


# ---- acts ----------------------------------------------------------------------------------------------------------


def admit(code: str, name: str, password: str) -> Ticket:
    """Check a sign-in and begin a session; what the door still asks stands in the ticket's step."""
    code, name = keeper().normal_code(_plain(code)), _plain(name)
    account = keeper().accounts.find(code, name)
    strike(account, f"{code}/{name}")
    right = passwords.matches(account.password_hash if account else None, password)
    if account is None or not right or not may_enter(account):
        _note(account, "signin", "refused")
        raise WrongSignIn
    if passwords.is_outdated(account.password_hash):
        in_scope(account.realm, lambda: keeper().accounts.save_rehash(account.id, passwords.make_hash(password)))
    ticket = signin.begin(account, _first_step(account))
    with tenancy.acting_as(**keeper().scope(account.realm)):
        ticket = keeper().settle_in(ticket, code, request.cookies.get(TERMINAL_COOKIE, ""))
    session["names"] = [account.name, account.number]
    session["must_change"] = _must_change(account)
    return _go_on(ticket, account)


def pass_second_factor(ticket: Ticket, typed: str) -> Ticket:
    """Check the code of the second factor; each code is good for one use."""
    account = _account_of(ticket)
    strike(account)
    assert account.totp_sealed is not None
    step = totp.matching_step(personal.unseal(key_of(account.realm), account.totp_sealed), _plain(typed), clock.now())
    spent = step is not None and in_scope(account.realm, lambda: keeper().accounts.spend_step(account.id, step))
    if not spent:
        _note(account, "signin.second", "refused")
        raise WrongCode
    return _go_on(replace(ticket, step=_step_after_second()), account)


def enrol(realm: int | str, person_id: int, secret: str, typed: str) -> int:
    """Take a second factor into use after its first code; other sessions end. Returns the new session version."""
    step = totp.matching_step(secret, _plain(typed), clock.now())
    if step is None:
        raise WrongCode
    sealed = personal.seal(key_of(realm), secret)

    def save() -> int:
        trail.record("second_factor.taken", str(person_id), by=_names(person_id))
        return keeper().accounts.save_totp(person_id, sealed, step)

    return in_scope(realm, save)


def change_password(realm: int | str, person_id: int, chosen: str, *known: str) -> int:
    """Choose a new password; every other session of the person ends. Returns the new session version."""
    passwords.refuse_weak(chosen, *known)
    made = passwords.make_hash(chosen)

    def save() -> int:
        trail.record("password.changed", str(person_id), by=_names(person_id))
        return keeper().accounts.save_password(person_id, made, must_change=False)

    return in_scope(realm, save)


def _go_on(ticket: Ticket, account: Account) -> Ticket:
    """Let the person in when nothing is left to ask, else wait at the next step."""
    if ticket.step != signin.FULL:
        signin.write_ticket(ticket)
        return ticket
    forgive(account)
    signin.forget(ticket.realm, ticket.id)
    signin.enter_fully(ticket)
    _note(account, "signin", "done")
    return ticket


def _first_step(account: Account) -> str:
    if account.totp_sealed is not None:
        return "second"
    if keeper().totp_required:
        return "enrol"
    return "change" if _must_change(account) else signin.FULL


def _step_after_second() -> str:
    return "change" if session.get("must_change") else signin.FULL


def _must_change(account: Account) -> bool:
    if account.demo:
        return False
    old = clock.now() - account.password_changed_at > timedelta(days=keeper().password_days)
    return account.must_change or old


def may_enter(account: Account) -> bool:
    return not account.disabled and (not account.demo or shell.is_demo())


def strike(account: Account | None, login: str = "") -> None:
    """Count one try before it is checked; refuse it when there were too many."""
    accounts = keeper().accounts
    unknown = personal.lookup(f"door:{accounts.table}:?{login}")
    until = accounts.strike(accounts.key(account.id) if account else unknown, _address_key())
    if until is not None:
        raise DoorLocked(minutes=max(1, -int(-(until - clock.now()).total_seconds() // 60)))


def forgive(account: Account) -> None:
    """Forget the failures of who has shown to be the right person."""
    keeper().accounts.forgive(keeper().accounts.key(account.id), _address_key())


def _address_key() -> bytes:
    return personal.lookup(f"door:address:{request.remote_addr}")


def _account_of(ticket: Ticket) -> Account:
    """The account behind a half-open session, read again: it may have been disabled meanwhile."""
    with tenancy.acting_as(**keeper().scope(ticket.realm)):
        account = keeper().accounts.get(ticket.id)
    if account is None or not may_enter(account) or account.session_version != ticket.version:
        signin.forget_session("ended")
        raise WrongSignIn
    return account


def _note(account: Account | None, act: str, result: str) -> None:
    """Write the trail of the account's wing. An unknown account has none; it takes as long."""
    if account is None:
        keeper().accounts.db.action(lambda: keeper().accounts.db.run("select 1"))()
        return
    in_scope(account.realm, lambda: trail.record(act, str(account.id), result, by=(account.id, account.name)))


def in_scope(realm: int | str, body: Callable[[], T]) -> T:
    """Do one act in the scope of an account, before anybody is signed in."""
    with tenancy.acting_as(**keeper().scope(realm)):
        return keeper().accounts.db.action(body)()


def _names(person_id: int) -> tuple[int | None, str] | None:
    names = session.get("names")
    return (person_id, names[0]) if g.get("me") is None and names else None


def key_of(realm: int | str) -> str:
    """Whose key seals the secrets of this account."""
    return str(realm) if isinstance(realm, int) else "center"


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).strip()
    return "".join(character for character in folded if character.isprintable())


# ---- pages ---------------------------------------------------------------------------------------------------------


@blueprint.route("/signin", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """The sign-in page."""
    if signin.me_or_none():
        return redirect(_wanted(), 303)
    form = SignInForm()
    refusal = None
    if form.validate_on_submit():
        try:
            ticket = admit(form.code.data, form.name.data, form.password.data)
        except Refusal as refused:
            refusal = refused
        else:
            session["wanted"] = request.args.get("next")
            return _remember_code(_next_page(ticket), form.code.data)
    if request.method == "GET" and not form.code.data:
        form.code.data = request.cookies.get(_code_cookie(), "")
    described = keeper().describe(keeper().normal_code(_plain(form.code.data or ""))) if form.code.data else ""
    return _door_page("signin/sign_in.html", refusal, form, described=described, left=session.pop("left", ""))


@blueprint.get("/signin/code")
@public
def describe_code() -> ResponseReturnValue:
    """Say what stands behind a typed code: the public name of a designated institution and its district."""
    code = keeper().normal_code(_plain(request.args.get("code", "")))[:40]
    return render_template("signin/_described.html", code=code, described=keeper().describe(code) if code else "")


@blueprint.route("/signin/second", methods=["GET", "POST"])
@public
def second() -> ResponseReturnValue:
    """Ask for the code of the second factor."""
    ticket = signin.read_ticket()
    if ticket is None or ticket.step != "second":
        return redirect(url_for(".sign_in"), 303)
    form, refusal = CodeForm(), None
    if form.validate_on_submit():
        try:
            return _next_page(pass_second_factor(ticket, form.code.data))
        except WrongSignIn:
            return redirect(url_for(".sign_in"), 303)
        except Refusal as refused:
            refusal = refused
    return _door_page("signin/second.html", refusal, form)


@blueprint.route("/signin/enrol", methods=["GET", "POST"], endpoint="enrol")
@public
def enrol_page() -> ResponseReturnValue:
    """Where the second factor is required, the first sign-in sets it up."""
    ticket = signin.read_ticket()
    if ticket is None or ticket.step != "enrol":
        return redirect(url_for(".sign_in"), 303)
    form, refusal, secret = CodeForm(), None, offered_secret(ticket.realm)
    if form.validate_on_submit():
        try:
            account = _account_of(ticket)
            version = enrol(ticket.realm, ticket.id, secret, form.code.data)
            session.pop("offered", None)
            return _next_page(_go_on(replace(ticket, step=_step_after_second(), version=version), account))
        except WrongSignIn:
            return redirect(url_for(".sign_in"), 303)
        except Refusal as refused:
            refusal = refused
    return _door_page(
        "signin/enrol.html", refusal, form, secret=secret, picture=picture_of(secret, session["names"][0])
    )


@blueprint.route("/signin/change", methods=["GET", "POST"])
@public
def change() -> ResponseReturnValue:
    """The first sign-in, and one after 90 days, asks for a new password."""
    ticket = signin.read_ticket()
    if ticket is None or ticket.step != "change":
        return redirect(url_for(".sign_in"), 303)
    form, refusal = ChangeForm(), None
    if form.validate_on_submit():
        try:
            account = _account_of(ticket)
            refuse_same(account, form.chosen.data)
            version = change_password(ticket.realm, ticket.id, form.chosen.data, *session["names"])
            return _next_page(_go_on(replace(ticket, step=signin.FULL, version=version), account))
        except WrongSignIn:
            return redirect(url_for(".sign_in"), 303)
        except Refusal as refused:
            refusal = refused
    return _door_page("signin/change.html", refusal, form)


@blueprint.post("/signout")
@public
def sign_out() -> ResponseReturnValue:
    """End this session; its cookie is worth nothing afterwards, wherever it was copied to."""
    ticket = signin.read_ticket()
    if signin.me_or_none() and ticket:
        keeper().end(ticket)
        signin.forget(ticket.realm, ticket.id)
    signin.forget_session("out")
    return redirect(url_for(".sign_in"), 303)


# ---- helpers of pages ----------------------------------------------------------------------------------------------


def offered_secret(realm: int | str) -> str:
    """The secret being offered, the same until it is taken; sealed, because a cookie is signed but not secret."""
    kept = session.get("offered")
    if kept:
        return personal.unseal(key_of(realm), base64.b64decode(kept))
    secret = totp.make_secret()
    session["offered"] = base64.b64encode(personal.seal(key_of(realm), secret)).decode()
    return secret


def picture_of(secret: str, name: str) -> str:
    """The QR code of an offered secret."""
    return totp.picture(totp.address(secret, name, gettext("阳光诊药")))


def refuse_same(account: Account, chosen: str) -> None:
    """Refuse the present password as the new one."""
    if passwords.matches(account.password_hash, chosen):
        raise SamePassword


def _door_page(template: str, refusal: Refusal | None, form: FlaskForm, **facts: Any) -> ResponseReturnValue:
    tell = current_app.extensions.get("center_state")
    center_state = tell() if tell else None
    coming = notices.read(current_app.config.get("NOTICES", ""), clock.business_date())
    page = render_template(template, form=form, refusal=refusal, notices=coming, center_state=center_state, **facts)
    status = refusal.status if refusal else (422 if form.errors else 200)
    return make_response(page, status)


def _remember_code(answer: Response, code: str) -> Response:
    """Fill in the organization code next time; it is public and the same for everybody at this till."""
    answer.set_cookie(
        _code_cookie(), code[:40], max_age=CODE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return answer


def _next_page(ticket: Ticket) -> Response:
    target = _inside(session.pop("wanted", None)) if ticket.step == signin.FULL else url_for(f"door.{ticket.step}")
    return cast("Response", redirect(target, 303))


def _wanted() -> str:
    return _inside(request.args.get("next"))


def _inside(path: str | None) -> str:
    """An address of this wing to go on to; whatever points elsewhere becomes the home page."""
    home = url_for("shell.home")
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return home
    return request.script_root + path


def _code_cookie() -> str:
    return f"sunmed_code_{current_app.config['WING']}"
