"""What recalls and notices of the center refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class RecallIncomplete(Refusal):
    """A recall is not filled in."""

    code = "recall_incomplete"
    sentence = "召回没有提交：{why}。请补全后再提交，目前没有发给任何机构。"
    status = 422


class OwnRecall(Refusal):
    """Who asked may not approve."""

    code = "own_recall"
    sentence = "这条召回由你提出，要由另一位同事复核后才能下达。"


class RecallNotThere(Refusal):
    """It was decided or closed meanwhile."""

    code = "recall_not_there"
    sentence = "这条召回已经由别人处理过，请刷新页面看现在的状态。"


class NoticeIncomplete(Refusal):
    """A notice is not filled in."""

    code = "notice_incomplete"
    sentence = "通知没有发布：{why}。请补全后再按 F9，目前没有发给任何机构。"
    status = 422
