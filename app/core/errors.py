"""Two of the three kinds of failure (HOUSE: refusal, outage, bug). Bugs have no class: they are not caught."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from flask_babel import gettext


class Refusal(Exception):
    """The business says no. Nothing was changed.

    Subclasses live in a room's errors.py, are named as a fact, and carry a code for programs and a sentence for
    people: what is refused, why, and what to do now. Facts fill the sentence; the facts `what` and `why` are texts of
    ours too, and whatever else is `words`: they are put into the reader's language with it. Data stays as it is.
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
        return _translated(self.sentence).format(**_shown(self.facts))

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence.format(**self.facts)}"


class Words(str):  # noqa: SLOT000 - a handful at a time
    """A Chinese text of ours with facts of its own, put into the reader's language when it is shown.

    As a string it is the Chinese: that is what logs, the database and messages to the center get.
    """

    sentence: str
    facts: dict[str, Any]

    def __new__(cls, sentence: str, **facts: Any) -> Self:
        made = super().__new__(cls, sentence.format(**facts))
        made.sentence, made.facts = sentence, facts
        return made

    @property
    def shown(self) -> str:
        return _translated(self.sentence).format(**_shown(self.facts))


class Several(Words):
    """Some texts of ours, one after the other: names with 、 between them, sentences with a space."""

    parts: tuple[str, ...]
    between: str

    def __new__(cls, parts: Iterable[str], between: str = "、") -> Self:
        parts = tuple(parts)
        made = super().__new__(cls, "{listed}", listed=between.join(parts))
        made.parts, made.between = parts, between
        return made

    @property
    def shown(self) -> str:
        texts = [part.shown if isinstance(part, Words) else _translated(part) for part in self.parts]
        return (self.between if texts == list(self.parts) or self.between == " " else ", ").join(texts)


def words(sentence: str, **facts: Any) -> Words:
    """A text of ours that becomes part of a refusal."""
    return Words(sentence, **facts)


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


# Facts that are texts of ours wherever they stand; a text without an English one shows as it is.
OURS = ("what", "why")


def _shown(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: _fact(name, fact) for name, fact in facts.items()}


def _fact(name: str, fact: Any) -> Any:
    if isinstance(fact, Words):
        return fact.shown
    return _translated(fact) if name in OURS and isinstance(fact, str) else fact


def _translated(sentence: str) -> str:
    if not sentence:
        return sentence  # An empty text would show the catalog's own head.
    try:
        return str(gettext(sentence))
    except (RuntimeError, AttributeError, KeyError):
        return sentence
