"""Whether we may buy, as a decision on plain values; and the words of papers, scopes and states. No database, no web."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.core.errors import Several, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

OWNERS = {"supplier": N_("供应商"), "product": N_("商品"), "facility": N_("本机构"), "staff": N_("人员")}
STATES = {"pending": N_("待审批"), "approved": N_("已批准"), "suspended": N_("已暂停")}
LABELS = {
    "code": N_("编码"), "name": N_("名称"), "scope": N_("经营范围"), "address": N_("地址"), "contact": N_("联系人"), "phone": N_("电话"), "bank": N_("开户行"),
    "account": N_("账号"), "note": N_("备注"),
}  # fmt: skip
# What a product is in the scope of a licence; EPHEDRINE and the like are ordinary drugs to a wholesaler.
SCOPES = {
    "DRUG": N_("化学药、中成药"), "HERB": N_("中药饮片"), "COLD": N_("冷藏冷冻药品"), "PSYCHOTROPIC_2": N_("第二类精神药品"),
    "TOXIC": N_("医疗用毒性药品"), "PSYCHOTROPIC_1": N_("第一类精神药品"), "NARCOTIC": N_("麻醉药品"), "DEVICE": N_("医疗器械"), "FOOD": N_("食品保健品"),
}  # fmt: skip
CONTROLLED = ("NARCOTIC", "PSYCHOTROPIC_1", "PSYCHOTROPIC_2", "TOXIC")
DRUGS = ("RX", "OTC_A", "OTC_B")
MOST_NAMES = 5


@dataclass(frozen=True)
class PaperKind:
    """A kind of paper: its official word, whose it is, and whether buying stops when it has run out."""

    code: str
    word: str
    owners: tuple[str, ...]
    stops: bool = True


KINDS = {
    kind.code: kind
    for kind in (
        PaperKind("BUSINESS", N_("营业执照"), ("supplier", "facility")),
        PaperKind("DRUG_TRADE", N_("药品经营许可证"), ("supplier", "facility")),
        PaperKind("DRUG_MAKE", N_("药品生产许可证"), ("supplier",)),
        PaperKind("DEVICE", N_("医疗器械经营备案或许可"), ("supplier", "facility")),
        PaperKind("FOOD", N_("食品经营许可"), ("supplier", "facility"), stops=False),
        PaperKind("PRACTICE", N_("医疗机构执业许可证"), ("facility",)),
        PaperKind("AGREEMENT", N_("医保定点协议"), ("facility",), stops=False),
        PaperKind("QUALITY", N_("质量保证协议"), ("supplier",)),
        PaperKind("SALESPERSON", N_("销售人员授权书"), ("supplier",)),
        PaperKind("SPECIMEN", N_("印章和随货同行单样式"), ("supplier",), stops=False),
        PaperKind("REGISTRATION", N_("药品注册批件"), ("product",)),
        PaperKind("DEVICE_REGISTRATION", N_("医疗器械注册证或备案"), ("product",)),
        PaperKind("FOOD_REGISTRATION", N_("保健食品批件"), ("product",)),
        PaperKind("INSPECTION", N_("检验报告"), ("product",), stops=False),
        PaperKind("PHARMACIST", N_("执业药师注册证"), ("staff",), stops=False),
        PaperKind("PHYSICIAN", N_("医师执业证"), ("staff",), stops=False),
        PaperKind("NURSE", N_("护士执业证"), ("staff",), stops=False),
        PaperKind("HEALTH", N_("健康证明"), ("staff",), stops=False),
        PaperKind("OTHER", N_("其他证照"), ("supplier", "product", "facility", "staff"), stops=False),
    )
}


def kinds_of(owner: str) -> dict[str, str]:
    """The papers somebody may have, by code."""
    return {kind.code: kind.word for kind in KINDS.values() if owner in kind.owners}


def needed_papers(scope_codes: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """What a supplier must show before anything is bought: of each group one paper at least (DOMAIN 3.1).

    Whose scope is not said is taken for a drug wholesaler.
    """
    scope = set(scope_codes)
    drugs = not scope or bool(scope & {"DRUG", "HERB", "COLD", *CONTROLLED})
    return (("BUSINESS",), ("QUALITY",), *((("DRUG_TRADE", "DRUG_MAKE"),) if drugs else ()), *((("DEVICE",),) if "DEVICE" in scope else ()))  # fmt: skip


def scopes_of(rx_class: str, special_class: str | None, storage: str) -> frozenset[str]:
    """What a licence must cover for one product; sundries need nothing."""
    drug = rx_class in DRUGS
    first = special_class if special_class in CONTROLLED else "DRUG" if drug else rx_class
    cold = {"COLD"} if drug and storage in {"COLD", "FROZEN"} else set()
    return frozenset({first} & SCOPES.keys() | cold)


_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def is_credit_code(text: str) -> bool:
    """Say whether a text can be a 统一社会信用代码: 18 characters, the last one checks the others (GB 32100-2015)."""
    if not re.fullmatch(f"[{_CREDIT}]{{18}}", text):
        return False
    total = sum(_CREDIT.index(each) * weight for each, weight in zip(text, _WEIGHTS, strict=False))
    return _CREDIT[(31 - total % 31) % 31] == text[17]


@dataclass(frozen=True)
class Paper:
    """A paper that has not been replaced."""

    kind: str
    number: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True)
class Supplier:
    """What the gate must know of a supplier."""

    name: str
    state: str
    reason: str
    review_due_on: date | None
    scope_codes: frozenset[str]
    papers: tuple[Paper, ...]


@dataclass(frozen=True)
class Product:
    """What the gate must know of a product."""

    name: str
    approved: bool
    review_due_on: date | None
    scopes: frozenset[str]
    papers: tuple[Paper, ...]


def why_not(
    supplier: Supplier,
    products: Sequence[Product],
    own_papers: Sequence[Paper],
    own_scope: frozenset[str],
    today: date,
) -> list[str]:
    """Everything that stands against buying these products from this supplier today; nothing: go on."""
    return [
        *_against_supplier(supplier, today),
        *paper_problems(supplier.name, supplier.papers, supplier.scope_codes, today),
        *(_stopped(words("本机构"), paper, today) for paper in own_papers if _stops(paper, today)),
        *_against_products(products, today),
        *_outside(words("{name} 的经营范围", name=supplier.name), supplier.scope_codes, products),
        *_outside(words("本机构的经营范围"), own_scope, products),
    ]


def _against_supplier(supplier: Supplier, today: date) -> list[str]:
    if supplier.state == "suspended":
        return [words("供应商 {name} 已暂停往来：{reason}。", name=supplier.name, reason=supplier.reason)]
    if supplier.state != "approved":
        return [words("供应商 {name} 还没有通过首营审批。请先送审，由药师或负责人审批。", name=supplier.name)]
    if supplier.review_due_on and supplier.review_due_on < today:
        return [
            words("供应商 {name} 的复审已于 {day} 到期。请先送复审。", name=supplier.name, day=supplier.review_due_on)
        ]
    return []


def paper_problems(name: str, papers: Sequence[Paper], scope_codes: Iterable[str], today: date) -> list[str]:
    """Papers of a supplier that are missing, run out, or not yet valid."""
    here = {paper.kind for paper in papers}
    missing = [group for group in needed_papers(scope_codes) if not here & set(group)]
    return [
        *(words("供应商 {name} 缺少{what}。", name=name, what=KINDS[group[0]].word) for group in missing),
        *(_stopped(f"{name} ", paper, today) for paper in papers if _stops(paper, today)),
    ]


def _stops(paper: Paper, today: date) -> bool:
    kind = KINDS.get(paper.kind)
    over = paper.valid_until is not None and paper.valid_until < today
    return kind is not None and kind.stops and (over or paper.valid_from > today)


def _stopped(whose: str, paper: Paper, today: date) -> str:
    facts = {"whose": whose, "what": KINDS[paper.kind].word, "number": paper.number}
    if paper.valid_from > today:
        return words("{whose}的{what}（{number}）要到 {day} 才生效。", **facts, day=paper.valid_from)
    return words("{whose}的{what}（{number}）已于 {day} 过期。请登记换发的新证。", **facts, day=paper.valid_until)


def _against_products(products: Sequence[Product], today: date) -> list[str]:
    new = [product.name for product in products if not product.approved]
    due = [p.name for p in products if p.approved and p.review_due_on and p.review_due_on < today]
    return [
        *([words("没有通过首营审批的商品：{names}。请先在首营里送审。", names=_listed(new))] if new else []),
        *([words("首营复审已到期的商品：{names}。请先送复审。", names=_listed(due))] if due else []),
        *(_stopped(f"{p.name} ", paper, today) for p in products for paper in p.papers if _stops(paper, today)),
    ]


def _outside(whose: str, scope: frozenset[str], products: Sequence[Product]) -> list[str]:
    """Products that a scope does not cover; a scope of which nothing is said covers all."""
    outside = [product.name for product in products if product.scopes - scope] if scope else []
    return [words("不在{whose}里的商品：{names}。", whose=whose, names=_listed(outside))] if outside else []


def _listed(names: Sequence[str]) -> str:
    shown = "、".join(names[:MOST_NAMES])
    return words("{names} 等 {n} 种", names=shown, n=len(names)) if len(names) > MOST_NAMES else shown


def papers_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Paper, ...]:
    """Papers as the database's JSON tells them."""
    return tuple(Paper(row["kind"], row["number"], _day(row["from"]), _day(row["until"]) if row["until"] else None) for row in rows)  # fmt: skip


def _day(text: str) -> date:
    return date.fromisoformat(text)


def due_words(until: date | None, today: date) -> tuple[str, str]:
    """How a paper stands, as (tone, sentence): lasting, good, soon, over."""
    if until is None:
        return "ok", words("长期有效")
    left = (until - today).days
    if left < 0:
        return "stop", words("已过期 {n} 天", n=-left)
    return ("warn", words("还有 {n} 天", n=left)) if left <= 90 else ("ok", words("还有 {n} 天", n=left))


def together(sentences: Sequence[str]) -> Several:
    """Several sentences as one fact of a refusal."""
    return Several(sentences[:20], between=" ")


def product_of(row: Mapping[str, Any]) -> Product:
    """A product as the database's JSON tells it."""
    return Product(
        row["name"],
        row["approved"],
        _day(row["due"]) if row["due"] else None,
        scopes_of(row["rx_class"], row["special"], row["storage"]),
        papers_of(row["papers"]),
    )


# ---- what is owed ------------------------------------------------------------------------------------------------------

INVOICE_STATES = {"noted": N_("待核对"), "matched": N_("待付款"), "paid": N_("已付款"), "void": N_("已作废")}
ENTRY_KINDS = {"receipt": N_("入库"), "return": N_("退货"), "difference": N_("票货差额"), "payment": N_("付款"), "adjustment": N_("调整")}  # fmt: skip
METHODS = {"bank": N_("银行转账"), "cash": N_("现金"), "bill": N_("承兑汇票"), "other": N_("其他")}
