"""What stands beside a delivery while it is unpacked: the gate in its own words, and what was ordered, noted and arrived."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.core.errors import Words, words
from app.facility.db import run
from app.facility.stock import recalled, typed
from app.facility.stock.purchasing import gate, queries, rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from app.core.tenancy import Desk


@dataclass(frozen=True)
class Beside:
    """One product of a delivery: packs ordered and noted (None: not named there), arrived and accepted, and what that means."""

    product_id: int
    name: str
    ordered: int | None
    noted: int | None
    arrived: int
    accepted: int
    said: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """A delivery as it stands, looked over before it is accepted."""

    goods: Mapping[int, rules.Goods]
    beside: Sequence[Beside]
    supplier: Sequence[str]  # What the gate says against the supplier, or against buying at all.
    products: Mapping[int, Sequence[str]]  # What it says against single products.
    recalled: Sequence[str]  # Lots that a running recall means.
    cold: bool
    second: bool


def look_over(desk: Desk, delivery: Any, draft: rules.Draft) -> Look:
    """Look a draft over: the goods, the gate, the differences, running recalls. Five statements at most."""
    ids = list(dict.fromkeys(row.product for row in draft.rows))
    ordered = _expected(delivery.order_id)
    known = goods_of([*ids, *ordered])
    goods = {key: about for key, about in known.items() if key in ids}
    standing = gate.look(desk, delivery.supplier_id, list(goods))
    return Look(
        goods, compare(draft, ordered, known), shown(standing.whole), {key: shown(standing.of(key)) for key in goods},
        said_of_recalls(draft, goods),
        cold=any(about.storage in rules.COLD_STORAGE for about in goods.values()),
        second=any(about.special_class in rules.CONTROLLED_CLASSES for about in goods.values()),
    )  # fmt: skip


def said_of_recalls(draft: rules.Draft, goods: Mapping[int, rules.Goods]) -> list[str]:
    """What a running recall means among the lots of a draft, each once, by the gravest recall."""
    found: dict[tuple[int, str], Words] = {}
    for product, lot, recall in recalled.meant([(row.product, typed.plain(row.lot)) for row in draft.rows]):
        name = goods[product].name if product in goods else ""
        facts = {"name": name, "lot": lot, "number": recall.number, "why": recall.reason}
        found.setdefault(
            (product, lot),
            words("{name} {lot} 正在召回（{number} {why}）：请拒收，或放待处理区，入库即冻结。", **facts),
        )
    return shown(found.values())


def goods_of(product_ids: Sequence[int]) -> dict[int, rules.Goods]:
    """What acceptance must know of these products."""
    found = queries.product_facts(product_ids) if product_ids else {}
    return {
        key: rules.Goods(
            row.name, row.pack_size, row.storage, row.special_class, row.rx, row.approval, row.maker, row.trace_required
        )
        for key, row in found.items()
    }


def shown_name(product_id: int) -> str:
    """A product's name as a line of a delivery carries it; empty when there is none."""
    row = queries.product_facts([product_id]).get(product_id)
    return " · ".join(part for part in (row.name, row.spec, row.maker, row.pack_unit) if part) if row else ""


def _expected(order_id: UUID | None) -> dict[int, int]:
    """What an order still waits for, in packs."""
    if order_id is None:
        return {}
    rows = run(
        "select product_id, packs - received_packs as packs from purchase_order_line where order_id = :order order by line_no limit 200",
        order=order_id,
    )
    return {row.product_id: row.packs for row in rows}


def shown(texts: Iterable[str]) -> list[str]:
    """Texts of ours in the reader's language."""
    return [text.shown if isinstance(text, Words) else text for text in texts]


# ---- plain values ----------------------------------------------------------------------------------------------------


def compare(draft: rules.Draft, ordered: Mapping[int, int], goods: Mapping[int, rules.Goods]) -> list[Beside]:
    """Hold every product of a draft, and of its order, against what was ordered and noted; what differs comes first."""
    noted: dict[int, int] = {}
    for row in draft.rows:
        packs = typed.whole(row.noted)
        if packs is not None:
            noted[row.product] = noted.get(row.product, 0) + packs
    lots = [rough(row) for row in draft.rows]
    names = {key: about.name for key, about in goods.items()}
    differing = {one.product_id: one for one in rules.differences(lots, noted, ordered, names)}
    found = []
    for product_id in dict.fromkeys([*(lot.product_id for lot in lots), *ordered]):
        mine = [lot for lot in lots if lot.product_id == product_id]
        line = differing.get(product_id)
        found.append(
            Beside(
                product_id, names.get(product_id, ""), ordered.get(product_id), noted.get(product_id),
                sum(lot.arrived for lot in mine), sum(lot.accepted for lot in mine), tuple(shown(sentences(line, has_order=bool(ordered)))) if line else (),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: not one.said)


def rough(row: rules.Row) -> rules.Lot:
    """A row as far as it can be read yet; what cannot counts as nothing."""
    arrived, rejected = typed.whole(row.arrived) or 0, typed.whole(row.rejected or "0") or 0
    return rules.Lot(
        row.product, row.lot, None, date.max, arrived, max(arrived - rejected, 0), min(rejected, arrived), row.reason, row.kept, row.zone, None, "", "", "", ()
    )  # fmt: skip


def sentences(one: rules.Difference | Mapping[str, Any], *, has_order: bool) -> Iterator[Words]:
    """A difference in words: less, more, not ordered, rejected. As it was found, or as a record keeps it."""
    told = asdict(one) if isinstance(one, rules.Difference) else one
    ordered, noted, arrived = told["ordered"], told["noted"], told["arrived"]
    if ordered is None and has_order:
        yield words("采购单里没有")
    if ordered is not None and ordered != arrived:
        yield (
            words("比采购单少 {n}", n=ordered - arrived)
            if arrived < ordered
            else words("比采购单多 {n}", n=arrived - ordered)
        )
    if noted is not None and noted != arrived:
        yield (
            words("比随货单少 {n}", n=noted - arrived)
            if arrived < noted
            else words("比随货单多 {n}", n=arrived - noted)
        )
    if told["accepted"] < arrived:
        yield words("拒收 {n}", n=arrived - told["accepted"])
