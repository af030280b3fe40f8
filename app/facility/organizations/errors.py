"""What organizations refuse."""

from __future__ import annotations

from app.core.errors import NotFound, Refusal, WrongInput

__all__ = ["NotFound", "WrongInput"]


class CodeTaken(Refusal):
    """The organization code or the national code is in use."""

    code = "organization_code_taken"
    sentence = "代码 {taken} 已被使用。请核对机构代码；确实是本机构的，请联系系统维护人员。"


class NumberTaken(Refusal):
    """Two people cannot have the same number."""

    code = "number_taken"
    sentence = "工号 {number} 已有人使用。请换一个工号。"


class TerminalTaken(Refusal):
    """Two terminals of a facility cannot have the same name."""

    code = "terminal_taken"
    sentence = "本机构已有终端 {name}。请换一个编号。"


class PowersSeparated(Refusal):
    """System, security and audit administration belong to three different people."""

    code = "powers_separated"
    sentence = "负责人、安全管理员、审计管理员必须由不同的人担任，一人不能兼两项。请另选一位，或先取消现有的一项。"


class NotYourself(Refusal):
    """Nobody changes their own rights."""

    code = "not_yourself"
    sentence = (
        "不能改自己的岗位，也不能停用或重设自己。请由另一位负责人或安全管理员办理；改自己的密码请到「我的账号」。"
    )


class LastOwner(Refusal):
    """An organization keeps at least one owner."""

    code = "last_owner"
    sentence = "这是最后一位在用的负责人，停用或取消后就无人能管理本机构。请先增加另一位负责人。"


class NotForOwners(Refusal):
    """An owner must not be able to take over the audit administrator's account."""

    code = "not_for_owners"
    sentence = "审计管理员的密码和动态码只能由安全管理员重设。请联系安全管理员。"


class NoPharmacist(Refusal):
    """Only a pharmacist of this facility comes on duty."""

    code = "not_a_pharmacist"
    sentence = "您在本机构没有有效的药师岗位，不能登记在岗。请负责人在「人员」里核对岗位和有效期。"


class DutyUnchanged(Refusal):
    """Coming twice or leaving twice."""

    code = "duty_unchanged"
    sentence = "这次没有登记：在岗状态已经是这样了，可能点了两次。请看「在岗」页最上面的现在状态。"


class NotThatFacility(NotFound):
    """The person has no role at that facility."""

    code = "not_that_facility"


class ParameterOutOfBounds(Refusal):
    """A parameter has bounds that no site may leave."""

    code = "parameter_out_of_bounds"
    sentence = "应填 {least} 到 {most} 之间的数。请改正后再保存，刚才没有保存任何内容。"
    status = 422


class ParameterUnreadable(Refusal):
    """A number to call has a form."""

    code = "parameter_unreadable"
    sentence = "应填 {least} 到 {most} 位数字，中间可以有短横。请改正后再保存，刚才没有保存任何内容。"
    status = 422


class ParameterStart(Refusal):
    """A change acts from now on, never on what has happened."""

    code = "parameter_start"
    sentence = "开始日期应在 {first} 到 {last} 之间：已经过去的日子不能改。空着就是立即生效。"
    status = 422


class ParameterUnchanged(Refusal):
    """The parameter says that already."""

    code = "parameter_unchanged"
    sentence = "这次没有保存：那时的值已经是这样了，可能点了两次。请看下面的历史。"


class TooManyPlanned(Refusal):
    """Plans have a limit."""

    code = "too_many_planned"
    sentence = "已经安排了 {most} 次将来的改动。请等其中一些生效后再安排。"


class ScoresTurnedRound(Refusal):
    """A supervisor is asked at a higher score than a document."""

    code = "scores_turned_round"
    sentence = "查证件的分数必须始终小于由主管核验的分数，这样改会颠倒。请换一个值，或先改另一个。"
