"""What can be wrong with a message, before anybody asks what it means."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Outage, Refusal


class MalformedMessage(Refusal):
    """The bytes are no envelope of the national interface."""

    code: ClassVar[str] = "MALFORMED_MESSAGE"
    sentence: ClassVar[str] = "报文格式有误：{why}。请按接口规范改正后重新发送。"
    status: ClassVar[int] = 400


class CenterSlow(Outage):
    """Too many are waiting for the center already. Nothing was sent, so nothing happened."""

    def __init__(self) -> None:
        super().__init__("center slow")


class AnsweredByOurselves(Exception):
    """The configured address of the center is this very server; it would wait for itself until it stands still."""
