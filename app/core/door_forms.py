"""The forms of the door and of one's own account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Organization code, name or number, password."""

    code = StringField(_("机构代码"), [InputRequired(_("请填机构代码。")), Length(max=40)])
    name = StringField(_("姓名或工号"), [InputRequired(_("请填姓名或工号。")), Length(max=40)])
    password = PasswordField(_("密码"), [InputRequired(_("请填密码。")), Length(max=200)])


class CodeForm(FlaskForm):  # type: ignore[misc]
    """Six digits of the authenticator."""

    code = StringField(_("动态码"), [InputRequired(_("请填验证器上的 6 位数字。")), Length(max=12)])


class ChangeForm(FlaskForm):  # type: ignore[misc]
    """A new password, typed twice."""

    chosen = PasswordField(_("新密码"), [InputRequired(_("请填新密码。")), Length(max=200)])
    again = PasswordField(_("再输一次"), [InputRequired(_("请再输一次。")), EqualTo("chosen", _("两次输入的不一样。"))])


class AccountPasswordForm(ChangeForm):
    """A new password for who is signed in; the present one is asked too."""

    present = PasswordField(_("现在的密码"), [InputRequired(_("请填现在的密码。")), Length(max=200)])


class LeaveSecondFactorForm(FlaskForm):  # type: ignore[misc]
    """Giving up the second factor asks for the password."""

    password = PasswordField(_("现在的密码"), [InputRequired(_("请填现在的密码。")), Length(max=200)])
