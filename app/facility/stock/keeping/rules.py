"""What a paper of each act must say, who decides it, and which reasons there are. Plain values; no database, no web."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from app.core import money
from app.core.errors import words
from app.facility.stock import rulebook
from app.facility.stock.rulebook import ACTS, SELLING, SENIOR, SPLIT, STAFF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

MOST_LINES = 200
MOST_CODES = 500  # A line.
MOST_UNITS = 1_000_000_000
MOST_TEXT = 200

# The acts a paper can be of, in the order in which the screen offers them; a correction has its own screen.
OFFERED = ("hold", "release", "reject", "set_out", "destroy", "return_out", "use", "fill_drawer", "drawer_loss")
CORRECT = "correct"
WORDS = {code: ACTS[code].word for code in (*OFFERED, "move")} | {
    CORRECT: N_("更正")
}  # A move has its own page and stands in the same list.
HINTS = {
    "hold": N_("有疑问的货先收起来，等质量负责人判断"),
    "release": N_("查清没有问题，放回货架；收起的人不能自己解除"),
    "reject": N_("确认不合格，不再出售"),
    "set_out": N_("等着退给供应商"),
    "destroy": N_("不合格品销毁，有见证人和记录"),
    "return_out": N_("货已交还供应商，等红字发票"),
    "use": N_("诊室自己用掉，不是卖出"),
    "fill_drawer": N_("饮片装进药斗，换批先清斗"),
    "drawer_loss": N_("清斗扫出的碎屑和斗里的损耗"),
    CORRECT: N_("数量、批号、效期、进价录错了，用更正改"),
}
TARGETS = {"hold": "QUARANTINE", "reject": "REJECT", "set_out": "RETURN_OUT", "fill_drawer": SPLIT}

_OTHER = N_("其他（写在备注里）")
REASONS: dict[str, tuple[str, ...]] = {
    "hold": (N_("养护发现可疑"), N_("包装破损或污染"), N_("标签不清"), N_("外观异常"), N_("顾客投诉"), N_("监管部门通知"), _OTHER),
    "release": (N_("复查合格"), N_("供应商已说明并附报告"), N_("通知已撤销"), _OTHER),
    "reject": (N_("过期"), N_("拆零超过期限"), N_("复查不合格"), N_("破损"), N_("变质"), N_("召回"), _OTHER),
    "set_out": (N_("近效期退货"), N_("质量问题退货"), N_("召回"), N_("滞销退货"), _OTHER),
    "destroy": (N_("过期"), N_("复查不合格"), N_("破损"), N_("变质"), N_("召回"), _OTHER),
    "return_out": (N_("近效期退货"), N_("质量问题退货"), N_("召回"), N_("送错货"), N_("滞销退货"), _OTHER),
    "use": (N_("诊疗耗用"), N_("抢救用药"), N_("皮试"), _OTHER),
    "fill_drawer": (N_("日常装斗"), N_("换批装斗"), _OTHER),
    "drawer_loss": (N_("清斗"), N_("称量损耗"), N_("虫蛀霉变"), _OTHER),
    CORRECT: (N_("入库时录错"), N_("随货单有误"), N_("包装与记录不符"), N_("发票价格更正"), _OTHER),
}  # fmt: skip
OTHER = _OTHER


@dataclass(frozen=True)
class Field:
    """What the record of an act says beside its lines (DOMAIN 3.5)."""

    name: str
    word: str
    hint: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()


FIELDS: dict[str, tuple[Field, ...]] = {
    "hold": (),
    "release": (Field("finding", N_("复查结论"), N_("查了什么，凭什么判断没有问题")),),
    "reject": (),
    "set_out": (),
    "destroy": (
        Field("method", N_("销毁方法"), "", choices=(N_("焚烧"), N_("毁形后按医疗废物交处置单位"), N_("溶解后排放"), N_("交监管部门集中销毁"))),
        Field("witness", N_("见证人"), N_("在场的人的工号，或监管部门")),
        Field("place", N_("销毁地点")),
        Field("handed_to", N_("处置单位和凭证号"), N_("交外单位处置时填"), required=False),
    ),
    "return_out": (
        Field("supplier", N_("供应商")),
        Field("taken_by", N_("承运或提货"), N_("物流单号，或提货单号"), required=False),
    ),
    "use": (Field("order", N_("医嘱或治疗单号"), N_("不写姓名")),),
    "fill_drawer": (
        Field("drawer", N_("药斗")),
        Field("cleaned", N_("清斗"), N_("斗里换了批号，必须先清斗"), choices=(N_("已清斗"), N_("同一批号，未清斗"))),
        Field("matched", N_("品名核对"), "", choices=(N_("斗名与实物一致"),)),
    ),
    "drawer_loss": (
        Field("drawer", N_("药斗")),
        Field("emptied", N_("清斗后"), "", choices=(N_("斗已清空"), N_("斗里还有"))),
    ),
}  # fmt: skip
CLEANED, SAME_LOT, EMPTIED = "已清斗", "同一批号，未清斗", "斗已清空"


@dataclass(frozen=True, slots=True)
class Line:
    """So many base units of a lot, from a zone to a zone; outside the house is empty. Codes name the packs."""

    lot_id: int
    quantity: int
    from_zone: str = ""
    to_zone: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A stock paper (库存单据) as somebody fills it in."""

    act: str
    lines: tuple[Line, ...]
    reason: str
    note: str = ""
    record: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Correction:
    """What was written wrongly about a lot, and what is right (更正)."""

    lot_id: int
    what: str  # quantity, lot_number, expires_on or cost_price.
    after: str  # The right value: base units in `zone`, a text, a day, yuan a pack.
    reason: str
    note: str = ""
    zone: str = ""
    codes: tuple[str, ...] = ()  # Of a quantity: the packs that are not there, or are there after all.


CORRECTED = {"quantity": N_("数量"), "lot_number": N_("批号"), "expires_on": N_("效期"), "cost_price": N_("进价")}
# What leaves by a corrected quantity was never there; its codes are where a count's missing codes are, and may come back.
QUANTITY_OUT = replace(ACTS["correct_out"], gone="LOST")
QUANTITY_IN = replace(ACTS["correct_in"], codes_from=("LOST",))


def deciders(act: str) -> tuple[str, ...]:
    """Who may be the second person: the quality manager's side; at the herb drawers any two of the staff."""
    return STAFF if act in {"fill_drawer", "drawer_loss"} else SENIOR


def needs_second(act: str) -> bool:
    """Say whether another person decides this act. A correction says so by its worth."""
    return act == CORRECT or ACTS[act].second


def targets(act: str) -> tuple[str, ...]:
    """The zones goods of this act may go to; empty when they leave the house."""
    return (TARGETS[act],) if act in TARGETS else ACTS[act].enters


def problems_of(paper: Paper) -> list[str]:
    """What keeps a paper from being taken, all at once; the stock itself is checked when it is posted."""
    return list(_problems(paper))


def _problems(paper: Paper) -> Iterable[str]:
    if paper.act not in OFFERED:
        yield words("没有这种单据，请重新选择。")
        return
    if not paper.lines:
        yield words("还没有货。请扫追溯码，或输入品名选择批号。")
    if len(paper.lines) > MOST_LINES:
        yield words("一张单据最多 {most} 行，请分成几张。", most=MOST_LINES)
    if len({(line.lot_id, line.from_zone) for line in paper.lines}) < len(paper.lines):
        yield words("同一批号同一库区写了两行，请合成一行。")
    if paper.act in {"fill_drawer", "drawer_loss"} and len(paper.lines) > 1:
        yield words("一张装斗单只装一个药斗，请分开填。")
    if any(not 1 <= line.quantity <= MOST_UNITS or len(line.codes) > MOST_CODES for line in paper.lines):
        yield words("有一行的数量没有填对，请填整数。")
    yield from _said(paper.act, paper.reason, paper.note)
    for each in FIELDS[paper.act]:
        value = paper.record.get(each.name, "")
        if each.required and not value:
            yield words("没有填「{field}」。", field=words(each.word))
        if each.choices and value and value not in each.choices:
            yield words("「{field}」请从列出的里面选。", field=words(each.word))
        if len(value) > MOST_TEXT:
            yield words("「{field}」最多 {most} 个字。", field=words(each.word), most=MOST_TEXT)


def _said(act: str, reason: str, note: str) -> Iterable[str]:
    if reason not in REASONS[act]:
        yield words("请选择原因。")
    if reason == OTHER and not note:
        yield words("选了「其他」，请在备注里写明原因。")
    if len(note) > MOST_TEXT:
        yield words("备注最多 {most} 个字。", most=MOST_TEXT)


def correction_problems(wanted: Correction, before: str, today: date) -> list[str]:
    """What is wrong with a correction; `before` is what stands there now, in the same writing."""
    found = list(_said(CORRECT, wanted.reason, wanted.note))
    if wanted.what not in CORRECTED:
        return [*found, words("没有这种更正，请重新选择。")]
    if wanted.after == before:
        found.append(words("改前改后一样，不用更正。"))
    if wanted.what == "lot_number" and not re.match(r"^\S(.{0,38}\S)?$", wanted.after):
        found.append(words("批号没有填或超过 40 个字。"))
    if wanted.what == "expires_on" and not "2000-01-01" <= wanted.after <= f"{today.year + 50}-12-31":
        found.append(words("效期请写成 2027-05-31 或 202705。"))
    return found


def is_alone(what: str, before: str, after: str, worth_fen: int | None, limit_fen: int) -> bool:
    """Say whether one person may correct this: its worth is known and within the site's limit, and no expiry grows."""
    if what == "expires_on" and after > before:
        return False
    return worth_fen is not None and worth_fen <= limit_fen


def worth_fen(quantity: int, pack_size: int, price: Decimal | None) -> int | None:
    """What so many base units cost; None when nobody wrote the cost down."""
    return None if price is None else money.fen(price, Decimal(abs(quantity)) / pack_size)


def whole_packs_only(zone: str) -> bool:
    """Say whether a zone holds whole packs for sale, so that nothing opened may go there."""
    return zone in SELLING


def zone_words() -> dict[str, str]:
    """The zones by their words, for choices."""
    return dict(rulebook.ZONE_WORDS)
