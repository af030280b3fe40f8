"""Ask for an invoice, note its number, its failure, or the red invoice that withdraws it (红冲)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, personal
from app.core.errors import NotFound, Outage, words
from app.facility.db import hot_action, transaction
from app.facility.till.invoices import providers
from app.facility.till.invoices.errors import BuyerIncomplete, NothingToInvoice, NumberKnown, NumberWrong, WrongStep

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

STATES = {
    "none": words("未开票"),
    "asked": words("待开票"),
    "issued": words("已开票"),
    "red": words("已红冲"),
    "failed": words("开票失败"),
}
AFTER = {"asked": {"none", "red", "failed"}, "issued": {"asked"}, "failed": {"asked"}, "red": {"issued"}}
NUMBER = re.compile(r"[0-9]{8,20}")
TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}")
MOST_TITLE, MOST_NOTE = 100, 200

# The sale's row is taken first, so that two people at two screens follow each other.
LOCK_SALE = """
select id, receipt, total_fen from sale where tenant_id = %(tenant)s and id = %(sale)s and facility_id = %(facility)s and state = 'settled' for no key update
"""
RETURNED = "select coalesce(sum(refund_fen), 0)::bigint as fen from refund where tenant_id = %(tenant)s and sale_id = %(sale)s and state = 'refunded'"
LAST = "select * from sale_invoice where tenant_id = %(tenant)s and sale_id = %(sale)s order by id desc limit 1"
STEP = """
insert into sale_invoice (tenant_id, sale_id, facility_id, provider, state, buyer_kind, title, tax_number, buyer_sealed, number, amount_fen, note, staff_id, at)
values (%(tenant)s, %(sale)s, %(facility)s, %(provider)s, %(state)s, %(buyer_kind)s, %(title)s, %(tax_number)s, %(buyer_sealed)s, %(number)s,
    %(amount_fen)s, %(note)s, %(staff)s, %(at)s)
"""


@dataclass(frozen=True)
class Buyer:
    """For whom the invoice is: a firm with its tax number, or a private person, who has none."""

    kind: str
    title: str
    tax_number: str = ""


def ask_invoice(desk: Desk, sale_id: UUID, buyer: Buyer) -> None:
    """Ask for a sale's invoice (申请开票). The provider is asked afterwards, with no transaction open.

    Raises NotFound, BuyerIncomplete, WrongStep, NothingToInvoice. An outage leaves it asked; its number can be noted later.
    """
    provider = providers.get(providers.CHOSEN)
    order = _ask(desk, sale_id, _checked(buyer), provider.name)
    try:
        reply = provider.issue(order)
    except Outage:
        return
    if reply.state != "asked":
        note_step(desk, sale_id, reply.state, number=reply.number, note=reply.note)


@hot_action
def _ask(desk: Desk, sale_id: UUID, buyer: Buyer, provider: str) -> providers.Order:
    with transaction(settings=desk.settings) as hot:
        sale, _last = _stands(hot, desk, sale_id, "asked")
        amount_fen = sale.total_fen - hot.run(RETURNED, {**desk.keys, "sale": sale_id})[0].fen
        if amount_fen <= 0:
            raise NothingToInvoice
        person = buyer.kind == "person"
        sealed = personal.seal(str(desk.tenant_id), msgspec.json.encode({"name": buyer.title})) if person else None
        hot.run_last(
            STEP,
            {
                **desk.keys, "sale": sale_id, "provider": provider, "state": "asked", "buyer_kind": buyer.kind, "title": "" if person else buyer.title,
                "tax_number": buyer.tax_number, "buyer_sealed": sealed, "number": "", "amount_fen": amount_fen, "note": "", "at": clock.now(),
            },
        )  # fmt: skip
        return providers.Order(sale.receipt, amount_fen, buyer.kind, buyer.title, buyer.tax_number)


@hot_action
def note_step(desk: Desk, sale_id: UUID, state: str, *, number: str = "", note: str = "") -> None:
    """Note what became of an invoice: issued with its number, failed with the reason, red with the red invoice's number.

    Raises NotFound, WrongStep, NumberWrong, NumberKnown, BuyerIncomplete (no reason).
    """
    number, note = number.strip(), note.strip()[:MOST_NOTE]
    if state in {"issued", "red"} and not NUMBER.fullmatch(number):
        raise NumberWrong
    if state in {"failed", "red"} and not note:
        raise BuyerIncomplete(why="没有写原因")
    try:
        with transaction(settings=desk.settings) as hot:
            _sale, last = _stands(hot, desk, sale_id, state)
            kept = {
                name: getattr(last, name)
                for name in ("provider", "buyer_kind", "title", "tax_number", "buyer_sealed", "amount_fen")
            }
            hot.run_last(
                STEP,
                {
                    **desk.keys,
                    **kept,
                    "sale": sale_id,
                    "state": state,
                    "number": number,
                    "note": note,
                    "at": clock.now(),
                },
            )
    except pg.UniqueViolation as known:
        raise NumberKnown(number=number) from known


def _stands(hot: Hot, desk: Desk, sale_id: UUID, wanted: str) -> tuple[Any, Any]:
    """The sale, locked, and its invoice's last step. Raises NotFound, WrongStep."""
    keys = {**desk.keys, "sale": sale_id}
    sale, last = hot.run_all([(LOCK_SALE, keys), (LAST, keys)])
    if not sale:
        raise NotFound
    now = last[0].state if last else "none"
    if now not in AFTER[wanted]:
        raise WrongStep(state=STATES[now])
    return sale[0], last[0] if last else None


def _checked(buyer: Buyer) -> Buyer:
    title, tax_number = buyer.title.strip(), re.sub(r"\s", "", buyer.tax_number).upper()
    if buyer.kind not in {"firm", "person"}:
        raise BuyerIncomplete(why="没有选择开给单位还是个人")
    if not 0 < len(title) <= MOST_TITLE or not title.isprintable():
        raise BuyerIncomplete(why="没有填抬头，或超过 100 个字")
    if buyer.kind == "firm" and not TAX_NUMBER.fullmatch(tax_number):
        raise BuyerIncomplete(why="单位的纳税人识别号应为 15 到 20 位数字或大写字母")
    return Buyer(buyer.kind, title, tax_number if buyer.kind == "firm" else "")
