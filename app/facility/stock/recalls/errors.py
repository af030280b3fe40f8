"""What recalls and holds refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class RecallIncomplete(Refusal):
    """A recall is not filled in; nothing was frozen."""

    code = "recall_incomplete"
    sentence = "召回没有发起：{why}。请补全后再按 F9，目前没有冻结任何批号。"
    status = 422


class RecallIsOver(Refusal):
    """The recall was closed meanwhile."""

    code = "recall_is_over"
    sentence = "召回 {number} 已经结束，不能再处理。需要时请发起新的召回。"


class ReleasedByOthersOnly(Refusal):
    """Who froze may not release."""

    code = "released_by_others_only"
    sentence = "{what}由你本人锁定，解除要由另一位药师或负责人确认质量后办理。"


class CenterReleases(Refusal):
    """A recall of the center ends when the center closes it."""

    code = "center_releases"
    sentence = "这是中心下达的召回，结束召回要等中心关闭；本机构可以先上报处理结果。"


class NotHeld(Refusal):
    """The lot is not locked, or is locked by a recall."""

    code = "not_held"
    sentence = "批号 {lot} 现在不是质量锁定状态，不能解除。因召回冻结的批号随召回结束解除。"


class ReasonMissing(Refusal):
    """A hold and its release need a reason."""

    code = "reason_missing"
    sentence = "请写明原因（1 到 200 个字），锁定和解除都要留下依据。"
    status = 422
