"""What the center refuses about its own people."""

from __future__ import annotations

from app.core.errors import Refusal


class OfficerNumberTaken(Refusal):
    """Two people of the center cannot have the same number."""

    code = "number_taken"
    sentence = "工号 {number} 已有人使用。请换一个工号。"


class NotYourself(Refusal):
    """Nobody changes their own rights."""

    code = "not_yourself"
    sentence = "不能改自己的角色，也不能停用或重设自己。请由另一位管理员办理；改自己的密码请到「我的账号」。"


class LastAdministrator(Refusal):
    """A district keeps at least one administrator."""

    code = "last_administrator"
    sentence = "这是本辖区最后一位在用的系统管理员，停用或改任后就无人能管理账号。请先增加另一位系统管理员。"


class OutsideDistrict(Refusal):
    """An administrator manages people of the own district only."""

    code = "outside_district"
    sentence = "辖区 {district} 不在您的管理范围内。请填 {own} 开头的 2、4 或 6 位区划代码。"


class SecurityResets(Refusal):
    """The system's administrator must not be able to take over the other two administrations."""

    code = "security_resets"
    sentence = "安全管理员和审计管理员的账号，系统管理员不能重设。请由安全管理员办理。"
