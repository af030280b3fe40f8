"""Codes on cases and bundles (大码、中码): which small codes lie in them, learnt from suppliers' files and from scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import Several, words
from app.facility.catalog.importer import reader
from app.facility.db import hot_action, run, transaction
from app.facility.stock.purchasing.errors import CascadeNotTaken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.rules import ReceiptLine

PREFIX = (
    7  # The first digits of a 20-digit code name enterprise, product and pack; used as a table learnt, never as a rule.
)
MOST_SMALL = 5_000
MOST_PAIRS = 20_000
_json = msgspec.json.Encoder().encode
SMALL, MIDDLE, LARGE = 1, 2, 3

# All that lies in a code, down to the packs: at most three levels, so at most two steps.
INSIDE = """
    with recursive inside as (
        select child as code, 1 as depth from code_pack where parent = :code
        union all
        select p.child, i.depth + 1 from inside i join code_pack p on p.parent = i.code where i.depth < 3
    )
    select i.code from inside i where not exists (select from code_pack p where p.parent = i.code) order by i.code limit 5001
"""
KNOWN_LEVEL = "select level, product_id from code_prefix where prefix = :prefix"
LEARN_PREFIXES = """
insert into code_prefix (tenant_id, prefix, product_id, level)
select distinct on (c.prefix) %(tenant)s, c.prefix, c.product_id, c.level from jsonb_to_recordset(%(prefixes)s::jsonb) as c(prefix text, product_id bigint, level int)
order by c.prefix, c.product_id
on conflict do nothing
"""
# Pairs of a file. One that stands with another parent is told, not overwritten.
LEARN_PACKS = """
with given as (
    select * from jsonb_to_recordset(%(pairs)s::jsonb) as g(parent text, child text, level int, prefix text)
), made as (
    insert into code_pack (tenant_id, child, parent, level, product_id, source)
    select %(tenant)s, g.child, g.parent, g.level, c.product_id, %(source)s
    from given g left join code_prefix c on c.tenant_id = %(tenant)s and c.prefix = g.prefix
    order by g.child
    on conflict do nothing returning child
)
select g.child, g.parent, k.parent as known from given g join code_pack k on k.tenant_id = %(tenant)s and k.child = g.child
where k.parent <> g.parent order by g.child limit 20
"""
# Codes that begin like a case of a product we know are cases of it.
LEARN_KINDS = """
insert into code_prefix (tenant_id, prefix, product_id, level)
select distinct on (k.prefix) %(tenant)s, k.prefix, c.product_id, k.level
from jsonb_to_recordset(%(kinds)s::jsonb) as k(prefix text, level int, child text)
join code_prefix c on c.tenant_id = %(tenant)s and c.prefix = k.child
where k.prefix <> k.child
order by k.prefix, k.level desc
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Expanded:
    """What a scanned code stands for: its small codes, or the question for them when it is a known kind of case."""

    codes: tuple[str, ...]
    level: int
    product_id: int | None
    asks: bool


def expand(code: str) -> Expanded:
    """Say which small codes a scanned code stands for (大码展开): those in it, itself, or "scan what is inside"."""
    inside = [row.code for row in run(INSIDE, code=code)]
    known = run(KNOWN_LEVEL, prefix=code[:PREFIX]).one_or_none()
    product_id = known.product_id if known else None
    if inside:
        return Expanded(tuple(inside[:MOST_SMALL]), MIDDLE, product_id, asks=False)
    level = known.level if known else SMALL
    return Expanded(() if level > SMALL else (code,), level, product_id, asks=level > SMALL)


def prefixes_of(lines: Sequence[ReceiptLine]) -> str:
    """What a receipt teaches: which product the codes beginning like its codes belong to."""
    found = {(code[:PREFIX], line.product_id) for line in lines for code in line.codes if len(code) == 20}
    return _json(
        [{"prefix": prefix, "product_id": product, "level": SMALL} for prefix, product in sorted(found)]
    ).decode()


@hot_action
def learn_case(desk: Desk, parent: str, product_id: int, children: Sequence[str]) -> None:
    """Remember a case whose small codes were scanned by hand (建立大小码关系), and that codes like it are cases.

    Raises CascadeNotTaken when one of them lies in another case.
    """
    pairs = [
        {"parent": parent, "child": child, "level": MIDDLE} for child in dict.fromkeys(children) if child != parent
    ]
    kinds = [{"prefix": parent[:PREFIX], "product_id": product_id, "level": MIDDLE}]
    with transaction(settings=desk.settings) as hot:
        hot.run(LEARN_PREFIXES, {**desk.keys, "prefixes": _json(kinds).decode()})
        _learn(hot, desk, pairs, "scan")


def read_cascade(file: str, content: bytes) -> list[dict[str, Any]]:
    """Read a file of parent, child and perhaps level (大小码关系表). Raises FileUnreadable, FileTooLarge, CascadeNotTaken."""
    rows = reader.read_table(reader.shown_name(file), content).rows
    pairs, problems = [], []
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row[:3]]
        if len(cells) < 2 or not (cells[0].isalnum() and cells[1].isalnum()):
            if number > 1:  # The first row may be the header.
                problems.append(words("第 {n} 行不是两个码。", n=number))
            continue
        if not any(sign.isdigit() for sign in cells[0]):
            continue
        level = int(cells[2]) if len(cells) > 2 and cells[2] in ("2", "3") else MIDDLE
        pairs.append({"parent": cells[0][:100], "child": cells[1][:100], "level": level})
    if problems or not pairs:
        raise CascadeNotTaken(problems=Several(problems[:10] or [words("没有一行大小码。")], between=" "))
    if loops := [pair for pair in pairs if pair["parent"] == pair["child"]]:
        raise CascadeNotTaken(problems=words("{code} 装在它自己里面。", code=loops[0]["child"]))
    return pairs


@hot_action
def import_cascade(desk: Desk, file: str, content: bytes) -> int:
    """Take in a supplier's file of parent codes; returns how many pairs it named. Sending it again changes nothing."""
    pairs = read_cascade(file, content)
    with transaction(settings=desk.settings) as hot:
        _learn(hot, desk, pairs, reader.shown_name(file)[:100])
        known = {row["child"] for row in pairs} & {row["parent"] for row in pairs}
        kinds = [
            {
                "prefix": pair["parent"][:PREFIX],
                "level": LARGE if pair["child"] in known else MIDDLE,
                "child": pair["child"][:PREFIX],
            }
            for pair in pairs
        ]
        hot.run(LEARN_KINDS, {**desk.keys, "kinds": _json(kinds).decode()})
    return len(pairs)


def _learn(hot: Hot, desk: Desk, pairs: Sequence[dict[str, Any]], source: str) -> None:
    rows = [{**pair, "prefix": pair["child"][:PREFIX]} for pair in pairs]
    elsewhere = hot.run(LEARN_PACKS, {**desk.keys, "pairs": _json(rows).decode(), "source": source})
    if elsewhere:
        said = [words("{child} 已在 {known} 里。", child=row.child, known=row.known) for row in elsewhere[:10]]
        raise CascadeNotTaken(problems=Several(said, between=" "))
