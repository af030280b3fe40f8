"""What the audit refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class WeightRefused(Refusal):
    """A weight or limit that cannot be set."""

    code = "weight_refused"
    sentence = "信号权重没有改：{why}。请核对信号、数值和开始日期。"
    status = 422


class UnknownWarning(Refusal):
    """An answer to a warning that this institution never got."""

    code = "UNKNOWN_WARNING"
    sentence = "没有查到这条提醒，反馈没有保存。请核对提醒的编号，或重新检查处方。"
