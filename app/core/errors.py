"""Two of the three kinds of failure (HOUSE: refusal, outage, bug). Bugs have no class: they are not caught."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import gettext


class Refusal(Exception):
    """The business says no. Nothing was changed.

    Subclasses live in a room's errors.py, are named as a fact, and carry a code for programs and a sentence for
    people: what is refused, why, and what to do now. Facts fill the sentence.
    """

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = ""
    status: ClassVar[int] = 409

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.code)

    @property
    def message(self) -> str:
        """The sentence in the language of whoever asks; Chinese outside a request."""
        return _translated(self.sentence).format(**self.facts)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence.format(**self.facts)}"


class Outage(Exception):
    """An outside party did not answer, or nothing certain. Shown as "not yet", never as failed; safe to ask again."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotFound(Refusal):
    """There is no such record for the person asking; another tenant's record answers the same."""

    code = "not_found"
    sentence = "没有找到这条记录，可能已被删除，或不属于本机构。请返回列表重新选择。"
    status = 404


class WrongInput(Refusal):
    """What was sent cannot be understood; the sentence says which part and in which form it is expected."""

    code = "wrong_input"
    sentence = "{what}填写有误：{why}。请改正后再提交，刚才没有保存任何内容。"
    status = 422


class DocumentChanged(Refusal):
    """The same document id arrived again with other content."""

    code = "document_changed"
    sentence = "这张单据已经用另外的内容提交过，为避免重复，本次没有保存。请刷新页面后核对。"


def _translated(sentence: str) -> str:
    try:
        return str(gettext(sentence))
    except (RuntimeError, AttributeError, KeyError):
        return sentence
