"""The books: which columns each has (DOMAIN 3.5) and how a row is written into them. Persons are masked unless asked for whole."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core import clock, personal
from app.core.ages import age_of
from app.core.web import show_fen, show_price, show_time
from app.facility.counter.registers import statements
from app.facility.counter.special_rules import PRESCRIBED
from app.national import certno

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Sight:
    """Who looks: with which tenant's key, and whether persons are shown whole."""

    tenant_id: int
    whole: bool = False


@dataclass(frozen=True)
class Book:
    """One register."""

    key: str
    title: Any
    sub: Any
    columns: tuple[tuple[Any, str], ...]  # Heading, and its class: "" or "n" for figures.
    statement: str
    write: Callable[[Any, Sight], tuple[Any, ...]]
    persons: bool = False
    numbered: bool = True  # Its keys are documents; else numbers.


def _minute(at: datetime | None) -> str:
    return show_time(at, "%Y-%m-%d %H:%M")


def _about(row: Any) -> tuple[str, str, str, str, str]:
    """Name, spec, maker, lots and quantity with its unit, as in every book of goods."""
    said = row.described
    size = 1 if row.split else said["pack_size"]
    quantity = f"{row.quantity // size} {said['unit']}"
    if returned := getattr(row, "returned", 0):
        quantity += _("（退回 %(n)s）", n=returned // size)
    lots = "、".join(lot["lot"] for lot in getattr(row, "lots", None) or [])
    return said["name"], said["spec"], said["maker"], lots, quantity


def _person(sealed: Any, sight: Sight) -> tuple[str, str, str, str]:
    """Name, citizen id, sex and age; the age is that of the day of looking."""
    if not sealed:
        return "—", "—", "—", "—"
    said: Mapping[str, Any] = msgspec.json.decode(personal.unseal_bytes(str(sight.tenant_id), bytes(sealed)))
    name, number = str(said["name"]).strip(), str(said.get("certno") or "")
    born = certno.birth_date(number) if len(number) == 18 else None
    sex = {"1": _("男"), "2": _("女")}[certno.sex(number)] if born else "—"
    age = age_of(born, clock.business_date()) or "—"
    if sight.whole:
        return name, number or "—", sex, age
    return personal.mask_name(name), personal.mask_certno(number) if number else "—", sex, age


def _prescribed(row: Any, sight: Sight) -> tuple[Any, ...]:
    name, spec, _maker, lots, quantity = _about(row)
    patient, _number, sex, age = _person(row.patient_sealed, sight)
    return (
        _minute(row.at), row.receipt, row.rx_number, str(row.issued_on), patient, sex, age, row.diagnosis or "—", row.prescriber, row.institution,
        f"{name} {spec}", lots, quantity, row.reviewer_name or "—", row.seller,
    )  # fmt: skip


def _ephedrine(row: Any, sight: Sight) -> tuple[Any, ...]:
    name, spec, maker, lots, quantity = _about(row)
    buyer, number, _sex, _age = _person(row.patient_sealed if row.rx_number else row.buyer_sealed, sight)
    return (
        _minute(row.at),
        row.receipt,
        name,
        spec,
        quantity,
        maker,
        lots,
        buyer,
        number,
        row.rx_number or "—",
        row.seller,
    )


def _special(row: Any, sight: Sight) -> tuple[Any, ...]:
    name, spec, maker, lots, quantity = _about(row)
    patient, number, _sex, age = _person(row.patient_sealed, sight)
    return (
        _minute(row.at), row.receipt, _(PRESCRIBED[row.special_class]), f"{name} {spec}", quantity, maker, lots, row.rx_number, patient, age, number,
        f"{row.prescriber} · {row.institution}", row.reviewer_name or "—", row.seller,
    )  # fmt: skip


def _split(row: Any, _sight: Sight) -> tuple[Any, ...]:
    name, spec, maker, lots, quantity = _about(row)
    ends = "、".join(str(lot["expires_on"]) for lot in row.lots or [])
    return (
        show_time(row.opened_at, "%Y-%m-%d") or "—", name, spec, lots, maker, ends, quantity, _minute(row.at), row.receipt, row.seller, row.checker or "",
    )  # fmt: skip


def _near(row: Any, _sight: Sight) -> tuple[Any, ...]:
    name, spec, maker, lots, quantity = _about(row)
    left = (msgspec.convert(row.described["near"], type=type(row.sold_on)) - row.sold_on).days
    return _minute(row.at), row.receipt, name, spec, maker, lots, row.described["near"], left, quantity, row.seller


def _duty(row: Any, _sight: Sight) -> tuple[Any, ...]:
    minutes = int((row.left_at - row.at).total_seconds() // 60) if row.left_at else None
    length = _("%(h)s 小时 %(m)s 分", h=minutes // 60, m=minutes % 60) if minutes is not None else "—"
    return (
        row.pharmacist,
        row.national_code or "—",
        _minute(row.at),
        _minute(row.left_at) or _("没有登记离岗"),
        length,
        row.terminal or "—",
    )


def _discount(row: Any, _sight: Sight) -> tuple[Any, ...]:
    name, spec, _maker, _lots, quantity = _about(row)
    return (
        _minute(row.at), row.receipt, f"{name} {spec}", quantity, show_price(row.list_price), show_price(row.price),
        show_fen(row.list_fen - row.amount_fen), f"{(1 - row.price / row.list_price) * 100:.2f}%", row.reason, row.seller, row.approver or "—",
    )  # fmt: skip


def _discount_day(row: Any, _sight: Sight) -> tuple[Any, ...]:
    off_fen = row.list_fen - row.amount_fen
    return (
        str(row.sold_on), row.seller, row.sales, row.lines, show_fen(row.list_fen), show_fen(off_fen), _share(off_fen, row.list_fen), row.approved,
    )  # fmt: skip


def _share(part: int, whole: int) -> str:
    return f"{Decimal(part) * 100 / Decimal(whole):.2f}%" if whole else "—"


T, N = "", "n"
BOOKS = {
    book.key: book
    for book in (
        Book(
            "prescriptions", _l("处方药"), _l("处方药销售登记：凭哪张处方、谁审方、谁调配；保存不少于五年"),
            ((_l("销售时间"), T), (_l("单号"), T), (_l("处方号"), T), (_l("开方日期"), T), (_l("患者"), T), (_l("性别"), T), (_l("年龄"), N), (_l("诊断"), T),
             (_l("开方医师"), T), (_l("开方机构"), T), (_l("药品"), T), (_l("批号"), T), (_l("数量"), N), (_l("审方药师"), T), (_l("调配"), T)),
            statements.PRESCRIBED, _prescribed, persons=True,
        ),
        Book(
            "ephedrine", _l("含麻黄碱"), _l("含麻黄碱类复方制剂专册：查验登记身份证，没有处方每人最多两个最小包装"),
            ((_l("销售时间"), T), (_l("单号"), T), (_l("药品"), T), (_l("规格"), T), (_l("数量"), N), (_l("生产企业"), T), (_l("批号"), T), (_l("购药人"), T),
             (_l("身份证号"), T), (_l("处方号"), T), (_l("经手人"), T)),
            statements.EPHEDRINE, _ephedrine, persons=True,
        ),
        Book(
            "special", _l("特殊药品"), _l("第二类精神药品、毒性药品、含特殊药品复方制剂专册：只凭处方"),
            ((_l("销售时间"), T), (_l("单号"), T), (_l("类别"), T), (_l("药品"), T), (_l("数量"), N), (_l("生产企业"), T), (_l("批号"), T), (_l("处方号"), T),
             (_l("患者"), T), (_l("年龄"), N), (_l("身份证号"), T), (_l("开方"), T), (_l("审方药师"), T), (_l("经手人"), T)),
            statements.OTHER_SPECIAL, _special, persons=True,
        ),
        Book(
            "splits", _l("拆零"), _l("拆零销售记录：由另一位同事复核；原包装保留到卖完"),
            ((_l("拆零日期"), T), (_l("药品"), T), (_l("规格"), T), (_l("批号"), T), (_l("生产企业"), T), (_l("效期"), T), (_l("数量"), N), (_l("销售时间"), T),
             (_l("单号"), T), (_l("分拆"), T), (_l("复核"), T)),
            statements.SPLITS, _split,
        ),
        Book(
            "near", _l("近效期告知"), _l("卖出近效期药品时已告知顾客效期，小票上也印有"),
            ((_l("销售时间"), T), (_l("单号"), T), (_l("药品"), T), (_l("规格"), T), (_l("生产企业"), T), (_l("批号"), T), (_l("效期"), T), (_l("还有 天"), N),
             (_l("数量"), N), (_l("告知人"), T)),
            statements.NEAR, _near,
        ),
        Book(
            "duty", _l("药师在岗"), _l("药师到岗离岗登记；药师不在岗时处方药和甲类非处方药停售"),
            ((_l("药师"), T), (_l("医保编码"), T), (_l("到岗"), T), (_l("离岗"), T), (_l("在岗"), N), (_l("收银台"), T)),
            statements.DUTY, _duty, numbered=False,
        ),
        Book(
            "discounts", _l("优惠"), _l("每一行优惠：原价、优惠价、事由、谁给的、谁确认的"),
            ((_l("销售时间"), T), (_l("单号"), T), (_l("药品"), T), (_l("数量"), N), (_l("原价 元"), N), (_l("优惠价 元"), N), (_l("优惠 元"), N), (_l("比例"), N),
             (_l("理由"), T), (_l("经手人"), T), (_l("确认人"), T)),
            statements.DISCOUNTS, _discount,
        ),
        Book(
            "discount-days", _l("优惠日报"), _l("每人每天给了多少优惠"),
            ((_l("日期"), T), (_l("经手人"), T), (_l("单数"), N), (_l("行数"), N), (_l("原价合计 元"), N), (_l("优惠合计 元"), N), (_l("比例"), N), (_l("经确认 行"), N)),
            statements.DISCOUNT_DAYS, _discount_day, numbered=False,
        ),
    )
}  # fmt: skip
