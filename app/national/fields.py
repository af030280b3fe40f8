"""The field rules of all 212 transactions (two also under a second number) and of our own, from one table (interface specification, chapters 3-18).

`check` looks at an input as it came off the wire and names what is wrong, in table order. It is tolerant where the
platforms are: a number may be a JSON number or a numeric text, null and "" both mean empty, unknown members pass.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_ROWS = 500  # Rows of one node in one message.
MOST_PROBLEMS = 20
MOST_BITS = 200  # Of a whole number; a longer one is not even worth writing out.
_NUMBER = re.compile(r"-?(\d{1,20})(?:\.(\d{1,10}))?")
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_ALSO_CALLED = {"durg_trac_info": "drug_trac_info"}  # Spelled durg in the table, drug in its change log.
# Nodes without which a transaction says nothing, besides its first one.
_NEEDED = {"2101": {"drugdetail"}, "2102": {"drugdetail"}}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it is and what is wrong with it."""

    node: str
    row: int | None
    field: str
    why: str

    @property
    def sentence(self) -> str:
        """The problem as a person reads it, naming the field."""
        row = f" 第{self.row}行" if self.row else ""
        return f"{self.node}{row}：{self.why}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a node as the specification gives it."""

    code: str
    name: str
    kind: str
    length: int
    decimals: int
    required: bool
    values: frozenset[str] | None

    @property
    def label(self) -> str:
        return f"{self.name}（{self.code}）"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a transaction with its fields and the nodes that travel inside it."""

    name: str
    fields: tuple[Field, ...]
    nested: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One numbered transaction of the interface (交易)."""

    infno: str
    name: str
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "fields.json").read_text("utf-8"))
    return loaded


def transactions() -> tuple[str, ...]:
    """The numbers of all transactions of the specification."""
    return tuple(_table())


@lru_cache(maxsize=512)
def transaction(infno: str) -> Transaction | None:
    """Find a transaction by its number."""
    row = _table().get(infno)
    if row is None:
        return None
    return Transaction(infno, row["name"], _nodes(row["in"]), _nodes(row["out"]))


def _nodes(rows: Mapping[str, list[list[Any]]]) -> dict[str, Node]:
    return {
        name: Node(
            name,
            tuple(_field(*field) for field in fields),
            tuple(f[0] for f in fields if f[0] in rows and f[0] != name),
        )
        for name, fields in rows.items()
    }


def _field(code: str, name: str, kind: str, length: int, decimals: int, required: int, coded: int) -> Field:
    return Field(code, name, kind, length, decimals, bool(required), codes.values(code) if coded else None)


def check(infno: str, given: object) -> list[Problem]:
    """Name what is wrong with the input of a transaction; an empty list means that its form is right."""
    known = transaction(infno)
    if known is None:
        return [Problem("infno", None, "infno", f"没有交易编号 {infno[:10]}")]
    if not isinstance(given, dict):
        return [Problem("input", None, "input", "交易输入（input）应为一个对象")]
    problems: list[Problem] = []
    for problem in _of_transaction(known, given):
        problems.append(problem)
        if len(problems) >= MOST_PROBLEMS:
            break
    return problems


def _of_transaction(known: Transaction, given: Mapping[str, Any]) -> Iterator[Problem]:
    inner = {name for node in known.inputs.values() for name in node.nested}
    for position, (name, node) in enumerate(known.inputs.items()):
        if name in inner:
            continue
        if name == "":
            yield from _of_row(known, node, given, None)
        elif name in given and given[name] is not None:
            yield from _of_node(known, node, given[name])
        elif position == 0 or name in _NEEDED.get(known.infno, ()):
            yield Problem(name, None, name, f"缺少节点 {name}")


def _of_node(known: Transaction, node: Node, rows: object) -> Iterator[Problem]:
    if isinstance(rows, dict):
        yield from _of_row(known, node, rows, None)
        return
    if not isinstance(rows, list):
        yield Problem(node.name, None, node.name, "应为一个对象或一组对象")
        return
    if len(rows) > MOST_ROWS:
        yield Problem(node.name, None, node.name, f"最多 {MOST_ROWS} 行")
        return
    if not rows:
        yield Problem(node.name, None, node.name, "至少要有一行")
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            yield from _of_row(known, node, row, number)
        else:
            yield Problem(node.name, number, node.name, "每一行应为一个对象")


def _of_row(known: Transaction, node: Node, row: Mapping[str, Any], number: int | None) -> Iterator[Problem]:
    for field in node.fields:
        value = row.get(field.code)
        if field.code in node.nested:
            if value in (None, "", []):
                value = row.get(_ALSO_CALLED.get(field.code, field.code))
            if value not in (None, "", []):
                yield from _of_node(known, known.inputs[field.code], value)
                continue
        if value is None or value == "":
            if field.required:
                yield Problem(node.name or "input", number, field.code, f"{field.label}不能为空")
        elif why := _why_wrong(field, value):
            yield Problem(node.name or "input", number, field.code, f"{field.label}{why}")


def _why_wrong(field: Field, value: object) -> str | None:
    if field.kind == "any" or field.code == "exp_content":
        return _of_extension(field, value)
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return "应为文字或数字"
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return "数字过大"
    text = value if isinstance(value, str) else str(value)
    if field.kind == "number":
        return _of_number(field, text)
    if field.kind in {"date", "time"}:
        return _of_time(text)
    return _of_text(field, text)


def _of_extension(field: Field, value: object) -> str | None:
    if isinstance(value, str):
        return _of_text(field, value)
    return None


def _of_text(field: Field, text: str) -> str | None:
    if field.length and len(text) > field.length:
        return f"最多 {field.length} 个字符"
    if not text.isprintable() and _UNSENDABLE.search(text):
        return "含有不能使用的控制字符"
    if field.values is not None and text not in field.values:
        return f"的取值 {text[:20]} 不在代码表中"
    return None


def _of_number(field: Field, text: str) -> str | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return "应为数字"
    whole, fraction = match.group(1).lstrip("0"), (match.group(2) or "").rstrip("0")
    if field.length and len(whole) > field.length - field.decimals:
        return f"整数部分最多 {field.length - field.decimals} 位"
    if field.length and len(fraction) > field.decimals:
        return f"最多 {field.decimals} 位小数" if field.decimals else "应为整数"
    return None


def _of_time(text: str) -> str | None:
    try:
        if len(text) == 10 and text[4] == text[7] == "-":
            date.fromisoformat(text)
            return None
        if len(text) == 19 and text[4] == text[7] == "-" and text[10] == " ":
            datetime.fromisoformat(text)
            return None
    except ValueError:
        return "不是一个存在的日期时间"
    return "应写成 yyyy-MM-dd 或 yyyy-MM-dd HH:mm:ss"
