"""One's own account: what I am here, a new password, the second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask_babel import gettext

from app.core import door, passwords, signin, trail
from app.core.door_forms import AccountPasswordForm, CodeForm, LeaveSecondFactorForm
from app.core.errors import Refusal
from app.core.signin import keeper, me, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.core.accounts import Account
    from app.core.signin import Ticket

blueprint = Blueprint("account", __name__)


class WrongPassword(Refusal):
    """The present password is wrong."""

    code = "wrong_password"
    sentence = "现在的密码不对。请再输一次；连续 5 次不对会锁定 15 分钟。"
    status = 422


class DemoStays(Refusal):
    """Demo accounts are everybody's: they keep their password and second factor."""

    code = "demo_stays"
    sentence = "演示账号由大家共用，不能改密码和动态码。请新建一个账号再试。"


class SecondFactorNeeded(Refusal):
    """The center asks everybody for the second factor."""

    code = "second_factor_needed"
    sentence = "中心的账号必须使用动态码，不能停用。换手机时请安全管理员重设。"


@blueprint.get("/account")
@needs()
def show() -> ResponseReturnValue:
    """Show who I am here."""
    words = keeper().words()
    return render_template(
        "signin/account.html", roles=[words[role] for role in me().role_order], totp_required=keeper().totp_required
    )


@blueprint.route("/account/password", methods=["GET", "POST"])
@needs()
def password() -> ResponseReturnValue:
    """Choose a new password; every other session ends."""
    form, refusal = AccountPasswordForm(), None
    if form.validate_on_submit():
        try:
            ticket, account = _mine()
            _check(account, form.present.data)
            door.refuse_same(account, form.chosen.data)
            version = door.change_password(
                ticket.realm, ticket.id, form.chosen.data, me().name, me().number, me().facility_code
            )
            return _done(version, gettext("密码已改。其他地方的登录都已退出。"))
        except Refusal as refused:
            refusal = refused
    return render_template("signin/account_password.html", form=form, refusal=refusal), _status(form.errors, refusal)


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@needs()
def second_factor() -> ResponseReturnValue:
    """Take the second factor into use: scan, then type the first code."""
    if me().has_totp:
        return redirect(url_for(".leave_second_factor"), 303)
    form, refusal, (ticket, account) = CodeForm(), None, _mine()
    secret = door.offered_secret(ticket.realm)
    if form.validate_on_submit():
        try:
            _refuse_demo(account)
            version = door.enrol(ticket.realm, ticket.id, secret, form.code.data)
            session.pop("offered", None)
            return _done(version, gettext("动态码已启用。下次登录起，除密码外还要输入动态码。"))
        except Refusal as refused:
            refusal = refused
    page = render_template(
        "signin/account_totp.html",
        form=form,
        refusal=refusal,
        secret=secret,
        picture=door.picture_of(secret, account.name),
    )
    return page, _status(form.errors, refusal)


@blueprint.route("/account/second-factor/end", methods=["GET", "POST"])
@needs()
def leave_second_factor() -> ResponseReturnValue:
    """Give up the second factor, where it is not required."""
    if not me().has_totp:
        return redirect(url_for(".second_factor"), 303)
    form, refusal = LeaveSecondFactorForm(), None
    if form.validate_on_submit():
        try:
            if keeper().totp_required:
                raise SecondFactorNeeded
            ticket, account = _mine()
            _check(account, form.password.data)
            return _done(_drop(ticket), gettext("动态码已停用。"))
        except Refusal as refused:
            refusal = refused
    page = render_template(
        "signin/account_totp_end.html", form=form, refusal=refusal, totp_required=keeper().totp_required
    )
    return page, _status(form.errors, refusal)


def _mine() -> tuple[Ticket, Account]:
    ticket = signin.read_ticket()
    account = keeper().accounts.get(me().staff_id)
    assert ticket is not None
    assert account is not None
    return ticket, account


def _check(account: Account, typed: str) -> None:
    """Ask for the present password again; failures count like failures at the door."""
    _refuse_demo(account)
    door.strike(account)
    if not passwords.matches(account.password_hash, typed):
        raise WrongPassword
    door.forgive(account)


def _refuse_demo(account: Account) -> None:
    if account.demo:
        raise DemoStays


def _drop(ticket: Ticket) -> int:
    def save() -> int:
        trail.record("second_factor.dropped", str(ticket.id))
        return keeper().accounts.save_totp(ticket.id, None)

    return door.in_scope(ticket.realm, save)


def _done(version: int, sentence: str) -> ResponseReturnValue:
    signin.move(version=version)
    flash(sentence, "ok")
    return redirect(url_for(".show"), 303)


def _status(errors: object, refusal: Refusal | None) -> int:
    return refusal.status if refusal else (422 if errors else 200)
