"""Forms of organizations."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp

NO_SLASH = r"^[^/\x00-\x1f]+$"


class PersonForm(FlaskForm):  # type: ignore[misc]
    """A person's name, number and medical-insurance staff code."""

    name = StringField(
        _("姓名"), [InputRequired(_("请填姓名。")), Length(max=40), Regexp(NO_SLASH, message=_("姓名不能含斜线。"))]
    )
    number = StringField(
        _("工号"),
        [
            InputRequired(_("请填工号。")),
            Regexp(r"^[0-9A-Za-z-]{1,12}$", message=_("工号为 1 至 12 位数字、字母或短横。")),
        ],
    )
    national_code = StringField(
        _("医保人员编码"),
        [Optional(), Regexp(r"^[0-9A-Za-z]{1,30}$", message=_("医保人员编码为 1 至 30 位数字或字母。"))],
    )


class RoleForm(FlaskForm):  # type: ignore[misc]
    """A role, where it holds, and until when."""

    role = SelectField(_("岗位"), [InputRequired()])
    facility = SelectField(_("范围"), [Optional()])
    valid_from = DateField(_("自"), [Optional()])
    valid_until = DateField(_("至"), [Optional()])


class NewPersonForm(PersonForm, RoleForm):
    """A new person with a first role."""


class TerminalForm(FlaskForm):  # type: ignore[misc]
    """A terminal's facility and name."""

    facility = SelectField(_("门店"), [InputRequired()])
    name = StringField(
        _("编号"),
        [
            InputRequired(_("请填编号。")),
            Regexp(r"^[0-9A-Z]{2,6}$", message=_("编号为 2 至 6 位数字或大写字母，例如 02。")),
        ],
    )


class ParameterForm(FlaskForm):  # type: ignore[misc]
    """A parameter's new value and the day from which it holds."""

    parameter = HiddenField()
    value = StringField(_("新的值"), [InputRequired(_("请填新的值。")), Length(max=60)])
    begins_on = DateField(_("自"), [Optional()])
