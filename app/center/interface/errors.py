"""What the door of the interface refuses."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class FieldsWrong(Refusal):
    """The input breaks the field rules of its transaction."""

    code: ClassVar[str] = "FIELDS_WRONG"
    sentence: ClassVar[str] = "{why}。请按接口规范改正后重新发送。"
    status: ClassVar[int] = 422


class NotServed(Refusal):
    """A transaction that this center does not serve yet, or that does not exist."""

    code: ClassVar[str] = "NOT_SERVED"
    sentence: ClassVar[str] = "本中心没有开通交易 {infno}。请核对交易编号，或联系医保中心。"
