"""What the patient takes home of a bill: the settlement slip, the itemised list, the voucher of a refund."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from app.core import signin
from app.core.barcodes import qr_svg
from app.core.errors import NotFound
from app.core.personal import mask_name
from app.core.signin import needs
from app.facility.clinic.charging import bills, queries, rules, screens
from app.facility.clinic.charging.refund_views import gone_part
from app.facility.clinic.charging.views import CASHIERS
from app.facility.clinic.patients import queries as patients
from app.facility.insurance import identify, showing
from app.facility.till import receipts
from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_bill_prints", __name__, url_prefix="/clinic/charging")
PAID = ("settled", "refunded")
# What a slip says of goods and a bill does not.
BLANK = {
    "maker": "",
    "lot_no": "",
    "unit_price": "",
    "class_label": "",
    "off_fen": 0,
    "near": "",
    "list_price": "",
    "inside": False,
}


@blueprint.get("/bills/<uuid:bill_id>/receipt")
@needs(*CASHIERS)
def show(bill_id: UUID) -> ResponseReturnValue:
    """The settlement slip (结算单) as it is printed; looking at it is not printing."""
    return _receipt(bill_id, auto=False)


@blueprint.post("/bills/<uuid:bill_id>/receipts")
@needs(*CASHIERS)
def make(bill_id: UUID) -> ResponseReturnValue:
    """Print it: counted, and marked as a reprint from the second on (补打)."""
    queries.note_print(signin.here(), bill_id, _size())
    return _receipt(bill_id, auto=True)


@blueprint.get("/bills/<uuid:bill_id>/items")
@needs(*CASHIERS)
def items(bill_id: UUID) -> ResponseReturnValue:
    """The itemised list (费用清单): every line with its code, class and what the patient bears of it."""
    bill, about, rows, heads, _attempt, _tenders, _back = queries.look_at_bill(signin.here(), bill_id)
    _only_paid(bill)
    lines = bills.lines_of(rows)
    return render_template(
        "facility/clinic/charging/items.html", bill=screens.bill_part(bill, about), name=_whole_name(bill), facility_name=about.facility, facility_code=about.national_code,
        sheets=_sheets(lines, heads),
        split=showing.split_part(bill.money) if bill.money else None, size="a5",
    )  # fmt: skip


@blueprint.get("/refunds/<uuid:bill_refund_id>/receipt")
@needs(*CASHIERS)
def refund_receipt(bill_refund_id: UUID) -> ResponseReturnValue:
    """The voucher of a refund."""
    refund, lines, tenders = queries.get_refund(signin.here(), bill_refund_id)
    if refund.state != "refunded":
        raise NotFound
    shown = {
        "id": refund.id, "kind": "refund", "titled": _("门诊退费凭证"), "facility_name": refund.facility, "facility_code": refund.national_code, "receipt": refund.number,
        "original": refund.bill_number, "at": refund.refunded_at, "cashier": mask_name(refund.staff), "terminal": _("%(n)s 号台", n=refund.terminal), "person": None,
        "prescription": None, "heads": [(_("患者"), _whole_name(refund)), (_("原因"), rules.REASONS[refund.reason].shown)], "foot": _("钱按原来付款的方式退回。"),
        "lines": [_gone(line) for line in lines], "codes_need": 0, "codes_have": 0, "total_fen": refund.refund_fen, "off_fen": 0, "split": None,
        "tenders": [(screens.means_words()[row.kind], -row.amount_fen) for row in tenders], "received_fen": 0, "change_fen": None, "fund_used_fen": 0,
        "proof_number": refund.stream_number or 0, "proof_hash": "", "qr": qr_svg(f"SUNMED:{refund.national_code}:{refund.number}:{refund.stream_number or 0}", margin=0),
    }  # fmt: skip
    return render_template("facility/clinic/charging/receipt.html", receipt=shown, size=_size(), auto=False, print_no=0, bill_id=refund.bill_id, again=False)  # fmt: skip


def _sheets(lines: Sequence[rules.Line], heads: Sequence[Any]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """The lines sheet by sheet, then package by package: title, number, lines."""
    alone = [(screens.group_title(head), head.number, [_item(line) for line in lines if line.order_number == head.number and not line.package_id]) for head in heads]  # fmt: skip
    return [one for one in alone if one[2]] + [
        (f"{group.key} · {group.title}", "", [_item(line) for line in group.lines])
        for group in screens.package_groups(lines)
    ]


# ---- parts ---------------------------------------------------------------------------------------------------------


def _size() -> str:
    size = request.values.get("size", "80")[:2]
    return size if size in receipts.SIZES else "80"


def _only_paid(bill: Any) -> None:
    if bill.state not in PAID:  # What was not paid has no receipt, and none may be handed out.
        raise NotFound


def _whole_name(bill: Any) -> str:
    return patients.unseal(patients.get_patient(bill.patient_id)).name


def _receipt(bill_id: UUID, *, auto: bool) -> ResponseReturnValue:
    desk = signin.here()
    bill, about, rows, _heads, _attempt, tenders, back = queries.look_at_bill(desk, bill_id)
    _only_paid(bill)
    holder = identify.get(desk, bill.identification_id) if bill.money else None
    shown = _shown(bill, about, bills.lines_of(rows), tenders, back) | {"person": _holder(holder)}
    if bill.money:
        used_fen = int((holder.shown if holder else {}).get("fund_used_fen") or 0)
        shown["fund_used_fen"] = used_fen + int(bill.money.get("pooled_fen") or 0)
    return render_template(
        "facility/clinic/charging/receipt.html", receipt=shown, size=_size(), auto=auto, print_no=queries.count_prints(desk, bill_id), bill_id=bill_id, again=True,
    )  # fmt: skip


def _holder(row: Any) -> dict[str, Any] | None:
    """Whose card paid, where one did; the patient's name stands above it in any case."""
    if row is None:
        return None
    return {"masked_name": row.shown["masked_name"], "type_label": codes.name("psn_type", row.shown["psn_type"]) or ""}


def _shown(
    bill: Any, about: Any, lines: Sequence[rules.Line], tenders: Sequence[Any], back: Sequence[Any]
) -> dict[str, Any]:
    received = sum(tender["amount_fen"] for tender in bill.tendered or [] if tender["kind"] == "cash")
    proof = bytes(bill.stream_hash).hex() if bill.stream_hash else ""
    given = sum(one.refund_fen for one in back if one.state == "refunded")
    heads = [(_("患者"), _whole_name(bill)), (_("就诊号"), bill.visit_number), (_("科室"), about.department)]
    if not bill.money:
        heads.append((_("费别"), _("自费")))
    if bill.setl_id:
        heads.append((_("结算号"), bill.setl_id))
    if given:
        heads.append((_("其后已退 元"), f"{given / 100:.2f}"))
    return {
        "id": bill.id, "kind": "bill", "titled": _("门诊收费结算单") if bill.money else _("门诊收费单"), "facility_name": about.facility, "facility_code": about.national_code,
        "receipt": bill.number, "original": None, "at": bill.settled_at, "cashier": mask_name(about.cashier), "terminal": _("%(n)s 号台", n=bill.terminal),
        "prescription": None, "heads": heads, "foot": _("凭本单取药、做治疗；未取未做的可以退费。"), "lines": _printed_lines(lines), "codes_need": 0,
        "codes_have": 0, "total_fen": bill.total_fen, "off_fen": 0, "split": showing.split_part(bill.money) if bill.money else None,
        "tenders": [(screens.means_words()[row.kind], row.amount_fen) for row in tenders if row.kind in {"bank", "wechat", "alipay"} and row.amount_fen > 0],
        "received_fen": received, "change_fen": screens.change_of(bill) if received else None, "fund_used_fen": 0, "proof_number": bill.stream_number or 0,
        "proof_hash": f"{proof[:4]} {proof[4:8]}", "qr": qr_svg(f"SUNMED:{about.national_code}:{bill.number}:{bill.stream_number or 0}:{proof[:16]}", margin=0),
    }  # fmt: skip


def _printed_lines(lines: Sequence[rules.Line]) -> list[dict[str, Any]]:
    """The lines as they are printed; those of a package stand under one head, which alone is added up."""
    printed = [_printed(line) for line in lines if not line.package_id]
    for group in screens.package_groups(lines):
        head = {
            "product_name": group.key,
            "spec": group.title,
            "unit_price": "",
            "quantity": "",
            "unit_name": "",
            "class_label": "",
            "amount_fen": group.amount_fen,
        }
        printed.append(BLANK | head)
        printed += [_printed(line) | {"inside": True, "spec": ""} for line in group.lines]
    return printed


def _printed(line: rules.Line) -> dict[str, Any]:
    part = screens.line_part(line)
    own = _("自费") if line.self_paid else part["class_label"]
    return {
        **BLANK, "product_name": part["name"], "spec": part["spec"] or part["sheet"], "unit_price": part["price"], "quantity": part["units"],
        "unit_name": part["unit"], "class_label": own, "amount_fen": part["amount_fen"],
    }  # fmt: skip


def _gone(line: Any) -> dict[str, Any]:
    part = gone_part(line)
    return {
        **BLANK, "product_name": part["name"], "spec": part["spec"], "quantity": part["units"], "unit_name": part["unit"], "amount_fen": part["amount_fen"],
    }  # fmt: skip


def _item(line: rules.Line) -> dict[str, Any]:
    return screens.line_part(line) | {"national": line.described["national"], "code": line.described["code"]}
