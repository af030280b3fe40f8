"""What a supplier's code file says (大中小码关系): which code lies in which, and what is wrong with a row. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from app.facility.catalog.importer import columns
from app.facility.stock import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

SMALL, MIDDLE, LARGE = 1, 2, 3
SHORTEST, LONGEST = 6, 100
FIELDS = {
    "large": N_("大码"),
    "middle": N_("中码"),
    "small": N_("小码"),
    "parent": N_("外层码"),
    "child": N_("里层码"),
    "level": N_("层级"),
}
VOCABULARY = columns.vocabulary(
    "cases:",
    {
        "large": ("大码", "大包装码", "整箱码", "箱码", "外箱码", "三级码", "托盘码"),
        "middle": ("中码", "中包装码", "中盒码", "二级码"),
        "small": ("小码", "小包装码", "盒码", "最小包装码", "一级码", "追溯码", "药品追溯码", "监管码"),
        "parent": ("父码", "上级码", "外层码", "上级追溯码", "父级追溯码", "parent", "parentcode"),
        "child": ("子码", "下级码", "里层码", "下级追溯码", "子级追溯码", "child", "childcode", "code", "码"),
        "level": ("层级", "级别", "包装层级", "码级别", "level", "packlevel"),
    },
)
_LEVELS = {
    "2": MIDDLE,
    "中": MIDDLE,
    "中码": MIDDLE,
    "二级": MIDDLE,
    "3": LARGE,
    "大": LARGE,
    "大码": LARGE,
    "三级": LARGE,
}
PROBLEMS = {
    "codes": N_("不是两个码：要写外面的码和里面的码"),
    "level": N_("层级看不懂，请写 2（中码）或 3（大码），也可以空着"),
    "itself": N_("装在它自己里面"),
    "twice": N_("里面的码在文件里装进了两个不同的码"),
    "deep": N_("超过三层，或绕回自己：只认大码、中码、小码三层"),
    "elsewhere": N_("里面的码已经记在别的箱码里"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One code in another."""

    parent: str
    child: str
    level: int = 0  # Of the parent; 0 where the file does not say.


@dataclass(slots=True)
class Row:
    """One row of the file: the pairs it names and what is wrong with it."""

    number: int
    pairs: list[Pair]
    problems: list[str] = field(default_factory=list)


def mapping_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Which column says what: by the header, else by place (outer and inner code; or large, middle and small)."""
    found = {str(index): name for index, cell in enumerate(header) if (name := columns.meaning(cell, VOCABULARY))}
    if len(set(found.values()) & set(FIELDS)) >= 2:
        return {index: name for index, name in found.items() if list(found.values()).count(name) == 1}
    third = [typed.plain(row[2]) for row in rows[:60] if len(row) > 2 and row[2].strip()]
    if third and all(is_code(text) for text in third):
        return {"0": "large", "1": "middle", "2": "small"}
    return {"0": "parent", "1": "child", "2": "level"}


def is_code(text: str) -> bool:
    """Say whether a text can be a trace code: letters and digits, some of them digits."""
    return (
        SHORTEST <= len(text) <= LONGEST and text.isascii() and text.isalnum() and any(sign.isdigit() for sign in text)
    )


def read_rows(rows: Iterable[tuple[int, Sequence[str]]], mapping: Mapping[str, str]) -> list[Row]:
    """Read and judge the rows of a file, each with its number there."""
    read = [
        _read(number, {name: typed.plain(text) for name, text in columns.named_cells(row, mapping).items()})
        for number, row in rows
    ]
    _judge_together(read)
    return read


def _read(number: int, cells: Mapping[str, str]) -> Row:
    if {"large", "middle", "small"} & cells.keys():
        return _read_levels(number, cells)
    parent, child, said = cells.get("parent", ""), cells.get("child", ""), cells.get("level", "")
    row = Row(number, [Pair(parent[:LONGEST], child[:LONGEST], _LEVELS.get(said, 0))])
    if not (is_code(parent) and is_code(child)):
        row.problems.append("codes")
    elif said and said not in _LEVELS:
        row.problems.append("level")
    return row


def _read_levels(number: int, cells: Mapping[str, str]) -> Row:
    """A row of large, middle and small code; one of the outer two may be missing."""
    chain = [
        (cells[name], level)
        for name, level in (("large", LARGE), ("middle", MIDDLE), ("small", SMALL))
        if cells.get(name)
    ]
    pairs = [Pair(outer[:LONGEST], inner[:LONGEST], level) for (outer, level), (inner, _) in pairwise(chain)]
    fits = len(chain) > 1 and all(is_code(code) for code, _ in chain)
    return Row(number, pairs or [Pair(chain[0][0][:LONGEST], "")], [] if fits else ["codes"])


def _judge_together(rows: Sequence[Row]) -> None:
    """What only the whole file shows: a code in two others, or more than three levels."""
    sound = [row for row in rows if not row.problems]
    parents: dict[str, set[str]] = {}
    for row in sound:
        for pair in row.pairs:
            parents.setdefault(pair.child, set()).add(pair.parent)
    for row in sound:
        if any(pair.parent == pair.child for pair in row.pairs):
            row.problems.append("itself")
        elif any(len(parents[pair.child]) > 1 for pair in row.pairs):
            row.problems.append("twice")
        elif any(_above(pair.child, parents) > LARGE - SMALL for pair in row.pairs):
            row.problems.append("deep")


def _above(code: str, parents: Mapping[str, set[str]]) -> int:
    """How many codes lie around a code; more than the levels there are where it goes round."""
    count = 0
    while (outer := parents.get(code)) and count <= LARGE:
        code, count = min(outer), count + 1
    return count


def levelled(pairs: Iterable[Pair]) -> list[Pair]:
    """Each code once in its parent, with the parent's level: as the file says, else large where what lies in it is a case."""
    once = {pair.child: pair for pair in pairs}
    cases = {pair.parent for pair in once.values()}
    return [
        Pair(pair.parent, pair.child, pair.level or (LARGE if pair.child in cases else MIDDLE))
        for pair in once.values()
    ]
