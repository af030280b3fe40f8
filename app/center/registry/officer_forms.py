"""Forms about the center's people."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp


class ReassignForm(FlaskForm):  # type: ignore[misc]
    """A person's name, role and district."""

    name = StringField(
        _("姓名"),
        [InputRequired(_("请填姓名。")), Length(max=40), Regexp(r"^[^/\x00-\x1f]+$", message=_("姓名不能含斜线。"))],
    )
    role = SelectField(_("角色"), [InputRequired()])
    district = StringField(
        _("管辖区"),
        [
            InputRequired(_("请填区划代码。")),
            Regexp(r"^([0-9]{2}){1,3}$", message=_("区划代码为 2、4 或 6 位数字，例如 3302 或 330212。")),
        ],
    )


class OfficerForm(ReassignForm):
    """A new person."""

    number = StringField(
        _("工号"),
        [
            InputRequired(_("请填工号。")),
            Regexp(r"^[0-9A-Za-z-]{1,12}$", message=_("工号为 1 至 12 位数字、字母或短横。")),
        ],
    )
