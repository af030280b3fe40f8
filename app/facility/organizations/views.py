"""Pages of organizations, and how the facility wing's door knows its people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from app.core import clock, door, shell, signin
from app.core.errors import NotFound, Refusal
from app.core.signin import Keeper, me, needs
from app.facility.organizations import actions, parameter_screens, parameters, queries, rules
from app.facility.organizations.forms import NewPersonForm, ParameterForm, PersonForm, RoleForm, TerminalForm
from app.facility.organizations.rules import Grant

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("organizations", __name__, url_prefix="/organizations")
DEVICE_SECONDS = 2 * 365 * 24 * 3600
MANAGERS = ("owner", "security_admin")


def _words() -> dict[str, str]:
    return {role: gettext(word) for role, word in rules.ROLES.items()}


KEEPER = Keeper(
    accounts=queries.ACCOUNTS,
    standing=queries.standing,
    scope=lambda realm: {"tenant_id": str(realm)},
    settle_in=queries.choose_place,
    end=actions.end_session,
    describe=queries.describe,
    words=_words,
    idle=timedelta(hours=12),
    longest=timedelta(days=7),
)


@blueprint.record_once
def _settle(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    signin.keep(app, KEEPER)
    shell.add_room(app, "organizations.show_duty", "id-badge-2", "在岗", ("pharmacist", "owner"), 60)
    shell.add_room(app, "organizations.list_staff", "users", "人员", MANAGERS, 80)
    shell.add_room(app, "organizations.list_terminals", "device-desktop", "终端", ("owner",), 81)
    shell.add_room(app, "organizations.list_parameters", "adjustments", "参数", ("owner",), 82)
    shell.add_room(app, "organizations.show_trail", "history", "日志", ("audit_admin",), 83)
    app.jinja_env.globals["parameter"] = lambda name: parameters.here().value(name)


# ---- where I work --------------------------------------------------------------------------------------------------


@blueprint.post("/facilities/<int:facility_id>/entry")
@needs()
def go_to(facility_id: int) -> ResponseReturnValue:
    """Go on at another facility."""
    actions.go_to_facility(me(), facility_id)
    signin.move(facility=facility_id)
    return redirect(url_for("shell.home"), 303)


# ---- people --------------------------------------------------------------------------------------------------------


@blueprint.get("/staff")
@needs(*MANAGERS)
def list_staff() -> ResponseReturnValue:
    """The people of the organization."""
    after, search = request.args.get("after", "")[:12], request.args.get("q", "").strip()[:40]
    people, following = queries.list_staff(after, search)
    return render_template(
        "facility/organizations/staff_list.html",
        people=people,
        following=following,
        after=after,
        search=search,
        words=_words(),
    )


@blueprint.route("/staff/new", methods=["GET", "POST"])
@needs("owner")
def new_staff() -> ResponseReturnValue:
    """Add a person with a first role; the one-time password is shown once."""
    form, refusal = NewPersonForm(data=_usual_role()), None
    _offer(form)
    if form.validate_on_submit():
        try:
            person = actions.NewStaff(form.number.data, form.name.data.strip(), form.national_code.data or None)
            added = actions.add_staff(person, [_grant(form)])
        except Refusal as refused:
            refusal = refused
        else:
            return _show(added.staff_id, password=added.password)
    page = render_template("facility/organizations/staff_new.html", form=form, refusal=refusal)
    return page, refusal.status if refusal else (422 if form.errors else 200)


@blueprint.get("/staff/<int:staff_id>")
@needs(*MANAGERS)
def show_staff(staff_id: int) -> ResponseReturnValue:
    """One person: roles, state, what may be done."""
    return _show(staff_id)


@blueprint.post("/staff/<int:staff_id>/names")
@needs("owner")
def rename_staff(staff_id: int) -> ResponseReturnValue:
    """Correct a person's name, number or staff code."""
    form = PersonForm()
    if not form.validate_on_submit():
        return _show(staff_id, person_form=form)
    actions.rename_staff(staff_id, form.name.data.strip(), form.number.data, form.national_code.data or None)
    return _back(staff_id, gettext("已保存。"))


@blueprint.post("/staff/<int:staff_id>/roles")
@needs("owner")
def grant_role(staff_id: int) -> ResponseReturnValue:
    """Give a role, at once."""
    form = RoleForm()
    _offer(form)
    if not form.validate_on_submit():
        return _show(staff_id, role_form=form)
    actions.grant_role(staff_id, _grant(form), me().staff_id)
    return _back(staff_id, gettext("岗位已给，立即生效。"))


@blueprint.post("/staff/<int:staff_id>/roles/<int:role_id>/endings")
@needs("owner")
def end_role(staff_id: int, role_id: int) -> ResponseReturnValue:
    """Take a role away, at once."""
    actions.end_role(staff_id, role_id, me().staff_id)
    return _back(staff_id, gettext("岗位已取消，立即生效。"))


@blueprint.post("/staff/<int:staff_id>/disablings")
@needs(*MANAGERS)
def disable_staff(staff_id: int) -> ResponseReturnValue:
    """Shut a person out at once."""
    actions.disable_staff(staff_id, me().staff_id)
    return _back(staff_id, gettext("已停用，此人的登录已全部退出。"))


@blueprint.post("/staff/<int:staff_id>/enablings")
@needs("owner")
def enable_staff(staff_id: int) -> ResponseReturnValue:
    """Let a disabled person in again."""
    actions.enable_staff(staff_id, me().staff_id)
    return _back(staff_id, gettext("已恢复，原密码和岗位仍有效。"))


@blueprint.post("/staff/<int:staff_id>/password-resets")
@needs(*MANAGERS)
def reset_password(staff_id: int) -> ResponseReturnValue:
    """Give a person a one-time password, shown once."""
    password = actions.reset_password(staff_id, me().staff_id, by_owner=me().has("owner"))
    return _show(staff_id, password=password)


@blueprint.post("/staff/<int:staff_id>/second-factor-resets")
@needs(*MANAGERS)
def reset_second_factor(staff_id: int) -> ResponseReturnValue:
    """Take away a lost second factor."""
    actions.reset_second_factor(staff_id, me().staff_id, by_owner=me().has("owner"))
    return _back(staff_id, gettext("动态码已取消，此人的登录已全部退出。"))


@blueprint.post("/staff/<int:staff_id>/unlockings")
@needs(*MANAGERS)
def unlock_staff(staff_id: int) -> ResponseReturnValue:
    """Let a person who failed too often try again now."""
    actions.unlock_staff(staff_id)
    return _back(staff_id, gettext("已解锁，可以再登录。"))


# ---- terminals -----------------------------------------------------------------------------------------------------


@blueprint.route("/terminals", methods=["GET", "POST"])
@needs("owner")
def list_terminals() -> ResponseReturnValue:
    """The tills and desks of the organization, and adding one."""
    form, refusal = TerminalForm(), None
    form.facility.choices = [(str(each.id), each.name) for each in queries.list_facilities()]
    if form.validate_on_submit():
        try:
            actions.add_terminal(int(form.facility.data), form.name.data)
        except Refusal as refused:
            refusal = refused
        else:
            flash(gettext("已增加。到那台电脑上打开本页，点「登记本机」。"), "ok")
            return redirect(url_for(".list_terminals"), 303)
    page = render_template(
        "facility/organizations/terminals.html", form=form, refusal=refusal, terminals=queries.list_terminals()
    )
    return page, refusal.status if refusal else (422 if form.errors else 200)


@blueprint.post("/terminals/<int:terminal_id>/registrations")
@needs("owner")
def register_terminal(terminal_id: int) -> ResponseReturnValue:
    """Make this browser that terminal, for everybody who signs in here."""
    token = actions.register_terminal(terminal_id)
    signin.move(terminal=terminal_id)
    flash(gettext("本机已登记为这个终端；之后在本机登录的人都按它记录。"), "ok")
    answer = redirect(url_for(".list_terminals"), 303)
    answer.set_cookie(
        door.TERMINAL_COOKIE, token, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return answer


@blueprint.post("/terminals/<int:terminal_id>/disablings")
@needs("owner")
def disable_terminal(terminal_id: int) -> ResponseReturnValue:
    """Take a terminal out of use."""
    actions.disable_terminal(terminal_id)
    flash(gettext("终端已停用。"), "ok")
    return redirect(url_for(".list_terminals"), 303)


# ---- parameters ----------------------------------------------------------------------------------------------------


@blueprint.route("/parameters", methods=["GET", "POST"])
@needs("owner")
def list_parameters() -> ResponseReturnValue:
    """The figures and words the organization may set, one of them open with its history; and setting one."""
    form, refusal = ParameterForm(), None
    asked = request.values.get("parameter", "")
    if form.validate_on_submit():
        try:
            actions.set_parameter(asked, form.value.data, form.begins_on.data, me().staff_id)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
        else:
            flash(gettext("已保存，从开始的时刻起生效；以前的单据不变。"), "ok")
            return redirect(url_for(".list_parameters", parameter=asked), 303)
    page = parameter_screens.parameters_page(asked, _before())
    answer = render_template("facility/organizations/parameters.html", form=form, refusal=refusal, **page)
    return answer, refusal.status if refusal else (422 if form.errors else 200)


# ---- duty ----------------------------------------------------------------------------------------------------------


@blueprint.get("/duty")
@needs("pharmacist", "owner", "clerk")
def show_duty() -> ResponseReturnValue:
    """Who is on duty now, and the comings and goings of the last week."""
    present = queries.on_duty(_here())
    return render_template(
        "facility/organizations/duty.html",
        present=present,
        mine=any(each.staff_id == me().staff_id for each in present),
        rows=queries.list_attendance(_here()),
    )


@blueprint.post("/duty/comings")
@needs("pharmacist")
def come_on_duty() -> ResponseReturnValue:
    """The pharmacist comes on duty."""
    actions.come_on_duty(_here(), me().staff_id, me().terminal)
    flash(gettext("已登记到岗，处方药可以销售了。"), "ok")
    return redirect(url_for(".show_duty"), 303)


@blueprint.post("/duty/leavings")
@needs("pharmacist")
def leave_duty() -> ResponseReturnValue:
    """The pharmacist leaves duty."""
    actions.leave_duty(_here(), me().staff_id, me().terminal)
    flash(gettext("已登记离岗。没有其他药师在岗时，处方药和甲类非处方药停止销售。"), "ok")
    return redirect(url_for(".show_duty"), 303)


# ---- the trail -----------------------------------------------------------------------------------------------------


@blueprint.get("/trail")
@needs("audit_admin")
def show_trail() -> ResponseReturnValue:
    """The organization's audit trail, for the audit administrator only."""
    before = _before()
    act, who = request.args.get("act", "").strip()[:60], request.args.get("who", "").strip()[:40]
    rows, following = queries.list_trail(before, act, who)
    return render_template(
        "facility/organizations/trail.html", rows=rows, following=following, before=before, act=act, who=who
    )


# ---- helpers -------------------------------------------------------------------------------------------------------


def _show(staff_id: int, password: str = "", **forms: Any) -> ResponseReturnValue:
    person = queries.get_staff(staff_id)
    role_form = forms.get("role_form") or RoleForm(formdata=None, data=_usual_role())
    _offer(role_form)
    data = {"name": person.name, "number": person.number, "national_code": person.national_code}
    person_form = forms.get("person_form") or PersonForm(formdata=None, data=data)
    page = render_template(
        "facility/organizations/staff_show.html",
        person=person,
        roles=queries.list_roles(staff_id),
        locked=queries.is_locked(staff_id),
        password=password,
        role_form=role_form,
        person_form=person_form,
        words=_words(),
        today=clock.business_date(),
    )
    return page, 422 if role_form.errors or person_form.errors else 200


def _offer(form: Any) -> None:
    form.role.choices = [(role, word) for role, word in _words().items()]
    form.facility.choices = [
        ("", gettext("整个机构")),
        *((str(each.id), each.name) for each in queries.list_facilities()),
    ]


def _usual_role() -> dict[str, str]:
    """What is offered first: the least right, here."""
    return {"role": "clerk", "facility": str(me().facility_id or "")}


def _grant(form: Any) -> Grant:
    """What the form says; administrations always belong to the whole organization."""
    whole = form.role.data in rules.ADMINISTRATIONS or not form.facility.data
    return Grant(
        form.role.data, None if whole else int(form.facility.data), form.valid_from.data, form.valid_until.data
    )


def _before() -> int | None:
    """The id before which a page of a list begins."""
    before = request.args.get("before", type=int)
    return before if before is not None and 0 <= before < 2**63 else None


def _back(staff_id: int, sentence: str) -> ResponseReturnValue:
    flash(sentence, "ok")
    return redirect(url_for(".show_staff", staff_id=staff_id), 303)


def _here() -> int:
    facility_id = me().facility_id
    if facility_id is None:
        abort(403)
    return facility_id
