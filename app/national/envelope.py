"""The envelope of every message (报文): composed byte for byte the same each time, read with tolerance.

A request's bytes are stored before they are sent, because the same message id must be asked again with the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.national.errors import MalformedMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 1 << 20
VERSION = "V1.0"
_ID = re.compile(r"[A-Za-z0-9-]{1,30}")
_CODE = re.compile(r"[A-Za-z0-9]{12}")
_INFNO = re.compile(r"[0-9]{4,6}[A-Z]?|S[0-9]{3}")  # S: our own, outside the national numbers.
_AREA = re.compile(r"\d{6}")
# Names on the wire of what an envelope must say, and how it must look (specification 1.1).
_FORMS = {"infno": _INFNO, "msgid": _ID, "mdtrtarea_admvs": _AREA, "fixmedins_code": _CODE}
_TEXTS = {
    "insuplc_admdvs": 6,
    "recer_sys_code": 10,
    "infver": 6,
    "opter_type": 3,
    "opter": 30,
    "opter_name": 50,
    "sign_no": 30,
}

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Institution:
    """Who asks: the designated institution's national code, name and district (定点医药机构)."""

    code: str
    name: str
    admdvs: str


@dataclass(frozen=True, slots=True)
class Operator:
    """The person at the counter in whose name a message is sent (经办人)."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request read off the wire; `input` still has the wire's names and values."""

    infno: str
    msgid: str
    institution: str
    admdvs: str
    insuplc_admdvs: str
    operator: str
    operator_name: str
    sign_no: str
    inf_time: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the center said. `code` is set on our center's refusals; elsewhere only the sentence is known."""

    accepted: bool
    message: str
    output: Mapping[str, Any]
    refmsgid: str
    code: str = ""
    raw: bytes = field(default=b"", repr=False)


def compose(
    infno: str,
    msgid: str,
    at: datetime,
    institution: Institution,
    operator: Operator,
    input: Mapping[str, Any] | bytes,  # noqa: A002 - the wire's own word
    *,
    insuplc_admdvs: str = "",
    sign_no: str = "",
) -> bytes:
    """Write a request as the bytes that are stored, signed and sent."""
    return _encode(
        {
            "infno": infno,
            "msgid": msgid,
            "mdtrtarea_admvs": institution.admdvs,
            "insuplc_admdvs": insuplc_admdvs,
            "recer_sys_code": "SUNMED",
            "dev_no": "",
            "dev_safe_info": "",
            "cainfo": "",
            "signtype": "",
            "infver": VERSION,
            "opter_type": "1",
            "opter": operator.id,
            "opter_name": operator.name,
            "inf_time": wire_time(at),
            "fixmedins_code": institution.code,
            "fixmedins_name": institution.name,
            "sign_no": sign_no,
            "input": msgspec.Raw(input) if isinstance(input, bytes) else input,
        }
    )


def message_id(institution_code: str, at: datetime, sequence: int) -> str:
    """Make a message id: institution (12), local time (14), a sequence of the institution (4)."""
    return f"{institution_code}{clock.local(at):%Y%m%d%H%M%S}{sequence % 10000:04d}"


def parse(body: bytes) -> Request:
    """Read a request. Raises MalformedMessage with a sentence that names the field."""
    read = _object(body)
    for name, form in _FORMS.items():
        if not form.fullmatch(_text(read, name)):
            raise MalformedMessage(why=f"{name} 缺失或格式不对")
    for name, most in _TEXTS.items():
        if len(_text(read, name)) > most:
            raise MalformedMessage(why=f"{name} 超过 {most} 个字符")
    if not _is_time(_text(read, "inf_time")):
        raise MalformedMessage(why="inf_time 应写成 yyyy-MM-dd HH:mm:ss")
    given = read.get("input")
    if not isinstance(given, dict):
        raise MalformedMessage(why="input 应为一个对象")
    return Request(
        infno=_text(read, "infno"),
        msgid=_text(read, "msgid"),
        institution=_text(read, "fixmedins_code"),
        admdvs=_text(read, "mdtrtarea_admvs"),
        insuplc_admdvs=_text(read, "insuplc_admdvs"),
        operator=_text(read, "opter"),
        operator_name=_text(read, "opter_name"),
        sign_no=_text(read, "sign_no"),
        inf_time=_text(read, "inf_time"),
        input=given,
    )


def parse_answer(body: bytes) -> Answer:
    """Read an answer; its unknown members are ignored. Raises MalformedMessage."""
    read = _object(body)
    state = str(read.get("infcode", ""))
    if state not in {"0", "-1"}:
        raise MalformedMessage(why="infcode 缺失")
    output = read.get("output")
    output = output if isinstance(output, dict) else {}
    refusal = output.get("refusal")
    code = str(refusal.get("code", "")) if isinstance(refusal, dict) else ""
    return Answer(state == "0", str(read.get("err_msg") or ""), output, str(read.get("inf_refmsgid") or ""), code, body)


def answer(
    refmsgid: str, arrived_at: datetime, output: Mapping[str, Any] | None, *, refused: str = "", code: str = ""
) -> bytes:
    """Write an answer: accepted with its output, or refused with a sentence (and our own code for programs)."""
    if refused:
        output = {"refusal": {"code": code}} if code else None
    return _encode(
        {
            "infcode": -1 if refused else 0,
            "inf_refmsgid": refmsgid,
            "refmsg_time": wire_moment(arrived_at),
            "respond_time": wire_moment(clock.now()),
            "err_msg": refused[:200],
            "output": output,
            "warn_msg": None,
            "cainfo": None,
            "signtype": None,
        }
    )


def extension(value: object) -> dict[str, Any]:
    """Read `exp_content`: a JSON text in most places, an object in some, nothing in many."""
    if isinstance(value, str) and value.strip():
        try:
            value = _decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return {}
    return value if isinstance(value, dict) else {}


def extension_text(facts: Mapping[str, Any]) -> str:
    """Write `exp_content` as the JSON text it is on the wire."""
    return _encode(facts).decode()


def wire_time(at: datetime) -> str:
    """A moment as the wire writes it: local, yyyy-MM-dd HH:mm:ss."""
    return f"{clock.local(at):%Y-%m-%d %H:%M:%S}"


def wire_moment(at: datetime) -> str:
    """A moment as answers write it: local, 17 digits."""
    local = clock.local(at)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"


def wire_date(day: date) -> str:
    """A day as the wire writes it."""
    return day.isoformat()


def read_time(text: str) -> datetime:
    """Read a wire time (checked before by the field rules)."""
    return datetime.fromisoformat(text).replace(tzinfo=clock.CHINA)


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise MalformedMessage(why="报文超过 1 MB")
    if b"\\u0000" in body:
        raise MalformedMessage(why="含有空字符")
    try:
        read = _decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ArithmeticError, ValueError) as failure:
        raise MalformedMessage(why="不是 UTF-8 编码的 JSON") from failure
    if not isinstance(read, dict):
        raise MalformedMessage(why="应为一个 JSON 对象")
    return read


def _text(read: Mapping[str, Any], name: str) -> str:
    value = read.get(name)
    if value is None:
        return ""
    if (
        isinstance(value, bool)
        or not isinstance(value, (str, int))
        or (isinstance(value, int) and value.bit_length() > 200)
    ):
        raise MalformedMessage(why=f"{name} 应为文字")
    return str(value)


def _is_time(text: str) -> bool:
    try:
        return len(text) == 19 and text[10] == " " and datetime.fromisoformat(text) is not None
    except ValueError:
        return False
