"""Codes on cases and bundles (大码、中码): which small codes lie in them, learnt from suppliers' files and from scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import Several, words
from app.facility.db import hot_action, run, transaction
from app.facility.stock.purchasing.cascade_rules import MIDDLE, SMALL
from app.facility.stock.purchasing.errors import CascadeNotTaken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.rules import ReceiptLine

PREFIX = (
    7  # The first digits of a 20-digit code name enterprise, product and pack; used as a table learnt, never as a rule.
)
MOST_SMALL = 5_000
_json = msgspec.json.Encoder().encode

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
        learn_pairs(hot, desk, pairs, "scan")


def learn_pairs(hot: Hot, desk: Desk, pairs: Sequence[Mapping[str, Any]], source: str) -> None:
    """Remember which code lies in which. Raises CascadeNotTaken when one of them lies in another already."""
    rows = [{**pair, "prefix": pair["child"][:PREFIX]} for pair in pairs]
    elsewhere = hot.run(LEARN_PACKS, {**desk.keys, "pairs": _json(rows).decode(), "source": source})
    if elsewhere:
        said = [words("{child} 已在 {known} 里。", child=row.child, known=row.known) for row in elsewhere[:10]]
        raise CascadeNotTaken(problems=Several(said, between=" "))
