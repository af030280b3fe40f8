"""A question as the handlers get it: the request, who asks, when it came."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.center.fund.actions import Message
from app.core.clock import business_date, local
from app.core.errors import WrongInput
from app.national import envelope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from app.center.registry.queries import Institution
    from app.national.envelope import Request


@dataclass(frozen=True, slots=True)
class Asked:
    """One authenticated question."""

    request: Request
    institution: Institution
    at: datetime
    body: bytes = field(repr=False)
    refmsgid: str = ""

    @property
    def today(self) -> date:
        return business_date(self.at)

    @property
    def message(self) -> Message:
        """The question as the fund keeps it."""
        request = self.request
        return Message(
            institution=self.institution.code,
            district=self.institution.district,
            msgid=request.msgid,
            infno=request.infno,
            digest=hashlib.sha256(self.body).digest(),
            arrived_at=self.at,
            operator=request.operator,
            operator_name=request.operator_name,
        )

    def node(self, name: str) -> Mapping[str, Any]:
        """One input node that is a single row; a list of one row is understood."""
        given = self.request.input[name]
        if isinstance(given, list):
            if len(given) != 1:
                raise WrongInput(what=name, why="应为单行数据")
            given = given[0]
        row: Mapping[str, Any] = given
        return row

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """One input node that has several rows; a single row is understood."""
        given = self.request.input[name]
        return given if isinstance(given, list) else [given]

    def accepted(self, output: Mapping[str, Any] | None) -> bytes:
        """Write the answer of an accepted question."""
        return envelope.answer(self.refmsgid, self.at, output)


def reference(district: str, at: datetime) -> str:
    """Make the receiver's message id: district (6), local time (14), ten digits."""
    return f"{district}{local(at):%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}"


def text(row: Mapping[str, Any], name: str) -> str:
    """A field as text; the field rules have looked at it before."""
    value = row.get(name)
    return "" if value is None else str(value)


def short(row: Mapping[str, Any], name: str, most: int) -> str:
    """A member of `exp_content`, which no field rule has looked at: text of bounded length, else nothing."""
    value = row.get(name)
    return value[:most] if isinstance(value, str) and value.isprintable() else ""
