"""Pages about the center's people, and how the center wing's door knows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from app.center.registry import officer_actions as actions
from app.center.registry import officer_queries as queries
from app.center.registry.officer_forms import OfficerForm, ReassignForm
from app.core import shell, signin
from app.core.errors import Refusal
from app.core.signin import Keeper, me, needs

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("officers", __name__, url_prefix="/registry/officers")
MANAGERS = ("administrator", "security_admin")


def _words() -> dict[str, str]:
    return {role: gettext(word) for role, word in queries.ROLES.items()}


KEEPER = Keeper(
    accounts=queries.ACCOUNTS,
    standing=queries.standing,
    scope=lambda realm: {"district": str(realm)},
    settle_in=lambda ticket, _code, _device: ticket,
    end=actions.end_session,
    describe=lambda _code: "",
    words=_words,
    normal_code=queries.normal_code,
    totp_required=True,
    idle=timedelta(minutes=15),
    longest=timedelta(hours=12),
)


@blueprint.record_once
def _settle(state: BlueprintSetupState) -> None:
    signin.keep(cast("Flask", state.app), KEEPER)
    shell.add_room(cast("Flask", state.app), "officers.list_officers", "users", "人员", MANAGERS, 80)
    shell.add_room(cast("Flask", state.app), "officers.show_trail", "history", "日志", ("audit_admin",), 82)


@blueprint.get("")
@needs(*MANAGERS)
def list_officers() -> ResponseReturnValue:
    """The people of the own district and below."""
    after, search = request.args.get("after", "")[:12], request.args.get("q", "").strip()[:40]
    people, following = queries.list_officers(after, search)
    return render_template(
        "center/registry/officers_list.html",
        people=people,
        following=following,
        after=after,
        search=search,
        words=_words(),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@needs("administrator")
def new_officer() -> ResponseReturnValue:
    """Add somebody; the one-time password is shown once."""
    form, refusal = OfficerForm(), None
    form.role.choices = list(_words().items())
    if request.method == "GET":
        form.district.data = me().district
    if form.validate_on_submit():
        try:
            person = actions.NewOfficer(
                form.district.data, form.number.data.strip(), form.name.data.strip(), form.role.data
            )
            added = actions.add_officer(person)
        except Refusal as refused:
            refusal = refused
        else:
            return _show(added.officer_id, password=added.password)
    page = render_template("center/registry/officers_new.html", form=form, refusal=refusal)
    return page, refusal.status if refusal else (422 if form.errors else 200)


@blueprint.get("/<int:officer_id>")
@needs(*MANAGERS)
def show_officer(officer_id: int) -> ResponseReturnValue:
    """One person: role, district, state."""
    return _show(officer_id)


@blueprint.post("/<int:officer_id>/assignments")
@needs("administrator")
def reassign(officer_id: int) -> ResponseReturnValue:
    """Give a person another role, district or name."""
    form = ReassignForm()
    form.role.choices = list(_words().items())
    if not form.validate_on_submit():
        return _show(officer_id, form=form)
    actions.reassign_officer(officer_id, form.name.data.strip(), form.role.data, form.district.data, me().staff_id)
    return _back(officer_id, gettext("已保存，立即生效；此人需重新登录。"))


@blueprint.post("/<int:officer_id>/disablings")
@needs(*MANAGERS)
def disable(officer_id: int) -> ResponseReturnValue:
    """Shut a person out at once."""
    actions.disable_officer(officer_id, me().staff_id)
    return _back(officer_id, gettext("已停用，此人的登录已全部退出。"))


@blueprint.post("/<int:officer_id>/enablings")
@needs("administrator")
def enable(officer_id: int) -> ResponseReturnValue:
    """Let a disabled person in again."""
    actions.enable_officer(officer_id, me().staff_id)
    return _back(officer_id, gettext("已恢复，原密码和角色仍有效。"))


@blueprint.post("/<int:officer_id>/password-resets")
@needs(*MANAGERS)
def reset_password(officer_id: int) -> ResponseReturnValue:
    """Give a person a one-time password, shown once."""
    password = actions.reset_password(officer_id, me().staff_id, by_administrator=me().has("administrator"))
    return _show(officer_id, password=password)


@blueprint.post("/<int:officer_id>/second-factor-resets")
@needs(*MANAGERS)
def reset_second_factor(officer_id: int) -> ResponseReturnValue:
    """Take away a lost second factor."""
    actions.reset_second_factor(officer_id, me().staff_id, by_administrator=me().has("administrator"))
    return _back(officer_id, gettext("动态码已取消，下次登录时重新设置。"))


@blueprint.post("/<int:officer_id>/unlockings")
@needs(*MANAGERS)
def unlock(officer_id: int) -> ResponseReturnValue:
    """Let a person who failed too often try again now."""
    actions.unlock_officer(officer_id)
    return _back(officer_id, gettext("已解锁，可以再登录。"))


@blueprint.get("/trail")
@needs("audit_admin")
def show_trail() -> ResponseReturnValue:
    """The center's audit trail, for the audit administrator only."""
    before = request.args.get("before", type=int)
    act, who = request.args.get("act", "").strip()[:60], request.args.get("who", "").strip()[:40]
    rows, following = queries.list_trail(_sane(before), act, who)
    return render_template(
        "center/registry/officers_trail.html", rows=rows, following=following, before=before, act=act, who=who
    )


def _show(officer_id: int, **facts: Any) -> ResponseReturnValue:
    person = queries.get_officer(officer_id)
    form = facts.pop("form", None) or ReassignForm(
        data={"name": person.name, "role": person.role, "district": person.district}
    )
    form.role.choices = list(_words().items())
    page = render_template("center/registry/officers_show.html", person=person, form=form, words=_words(), **facts)
    return page, 422 if form.errors else 200


def _back(officer_id: int, sentence: str) -> ResponseReturnValue:
    flash(sentence, "ok")
    return redirect(url_for(".show_officer", officer_id=officer_id), 303)


def _sane(number: int | None) -> int | None:
    return number if number is not None and 0 <= number < 2**63 else None
