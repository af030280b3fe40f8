"""What the reception refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class RegistrationPending(Refusal):
    code = "registration_pending"
    sentence = "{number} 的医保挂号结果还在核对，现在不能{act}。请等几秒，结果出来后再试。"


class RegistrationNotPossible(Refusal):
    code = "registration_not_possible"
    sentence = "{number} 没有向医保登记：{why}。可以自费就诊。"


class AlreadyRegistered(Refusal):
    code = "already_registered"
    sentence = "这位患者 {day} 在{department}已经有 {ticket} 号（{state}）。请用那个号；不要了就先退号。"


class NobodyWaits(Refusal):
    code = "nobody_waits"
    sentence = "现在没有人在候诊。"


class DayFull(Refusal):
    code = "day_full"
    sentence = "没有预约：{why}。请换个时间或换一位医师。"
