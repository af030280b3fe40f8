"""What the page of a bill is given: its lines by sheet, who pays, the split, what waits, in words and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.core import clock
from app.core.ages import age_of
from app.core.personal import mask_name
from app.core.web import show_fen, show_price
from app.facility.clinic.charging import bills, queries, rules
from app.facility.clinic.desk.rules import KINDS
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.terms.usage import usage
from app.facility.insurance import identify, showing
from app.facility.organizations import parameters
from app.facility.till import shifts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from app.core.tenancy import Desk

OWN_MEANS = ("cash", "bank", "wechat", "alipay")


def bill_page(desk: Desk, bill_id: UUID) -> dict[str, Any]:
    """Everything the page of a bill needs, as of now. Raises NotFound."""
    bill, about, rows, heads, attempt, tenders, back = queries.look_at_bill(desk, bill_id)
    lines = bills.lines_of(rows)
    split = _split(bill)
    return {
        "bill": bill_part(bill, about), "basket": {"lines": [line_part(line) for line in lines], "total_fen": bill.total_fen, "off_fen": 0},
        "groups": {row.number: group_title(row) for row in heads} | {one.key: one.title for one in package_groups(lines)}, "person": _person(desk, bill), "split": split,
        "own_fen": rules.own_expense_fen(lines, bill.preview) if bill.paid == "insured" and split else 0, "unknown": _unknown(bill, attempt) if bill.state == "asked" else None,
        "shift": shifts.find_current(desk), "terminal": desk.terminal, "tenders": own_tenders(tenders), "change_fen": change_of(bill), "refunds": back,
        "insured_visit": bool(bill.mdtrt_id and bill.visit_identification),
    }  # fmt: skip


def bill_part(bill: Any, about: Any) -> dict[str, Any]:
    """The head of a bill."""
    return {
        "id": str(bill.id), "number": bill.number, "version": bill.version, "state": bill.state, "word": rules.STATES[bill.state].shown, "paid": bill.paid,
        "total_fen": bill.total_fen, "visit_id": bill.visit_id, "visit_number": bill.visit_number, "who": about.name_shown, "sex": _(patient_rules.SEXES[about.sex]),
        "age": age_of(about.born_on, clock.business_date()), "department": about.department, "cashier": mask_name(about.cashier), "refusal": bill.refusal or "",
        "opened_at": bill.opened_at, "settled_at": bill.settled_at, "account": (bill.preview or {}).get("account", True), "setl_id": bill.setl_id,
        "consenter": mask_name(about.consenter) if about.consenter else "", "consented_at": bill.consented_at,
    }  # fmt: skip


def line_part(line: rules.Line) -> dict[str, Any]:
    """One line as the page and the prints show it."""
    about = line.described
    units = f"{line.units.normalize():f}"
    return {
        "line_no": line.line_no, "sheet": line.package or line.order_number, "name": about["name"], "spec": about["spec"], "maker": about["maker"], "price": show_price(line.price),
        "units": units, "unit": line.unit, "amount_fen": line.amount_fen, "self_paid": line.self_paid, "how": usage(line).shown,
        "class_label": {"A": _("甲类"), "B": _("乙类"), "C": _("丙类")}.get(about.get("insurance", ""), ""),
    }  # fmt: skip


def group_title(row: Any) -> str:
    """What kind of sheet it is, and whose."""
    kind = _(KINDS[row.kind])
    doses = " · " + _("%(n)s 剂", n=row.doses) if row.doses else ""
    return f"{kind}{doses} · {row.doctor} {clock.local(row.signed_at):%m-%d %H:%M}"


@dataclass(frozen=True)
class Group:
    """The lines of one package on a bill."""

    key: str
    lines: Sequence[rules.Line]

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def title(self) -> str:
        """What a package is and what its items would cost one by one."""
        alone = show_fen(sum(line.list_fen for line in self.lines))
        text: str = _(
            "套餐 %(n)s 项 · %(price)s 元（单项合计 %(alone)s 元）",
            n=len(self.lines),
            price=show_fen(self.amount_fen),
            alone=alone,
        )
        return text


def package_groups(lines: Sequence[rules.Line]) -> list[Group]:
    """The packages of a bill with their lines."""
    names = {line.package_id: line.package or "" for line in lines if line.package_id}
    return [Group(name, [line for line in lines if line.package_id == one]) for one, name in names.items()]


def own_tenders(rows: Iterable[Any]) -> list[tuple[str, int]]:
    """What the patient paid, by means."""
    sums: dict[str, int] = {}
    for row in rows:
        if row.kind in OWN_MEANS:
            sums[row.kind] = sums.get(row.kind, 0) + row.amount_fen
    return [(means_words()[kind], amount_fen) for kind, amount_fen in sums.items() if amount_fen]


def means_words() -> dict[str, str]:
    """Means of payment and payers."""
    return {
        "cash": _("现金"), "bank": _("银行卡"), "wechat": _("微信"), "alipay": _("支付宝"), "fund": _("统筹基金"), "account": _("个人账户"), "mutual": _("共济账户"),
    }  # fmt: skip


def change_of(bill: Any) -> int:
    """What was given back of the cash that was handed over."""
    given = sum(tender["amount_fen"] for tender in bill.tendered or [] if tender["kind"] == "cash")
    return max(0, given - (bill.cash_fen or 0)) if given else 0


def _split(bill: Any) -> dict[str, Any] | None:
    kept = bill.money or (bill.preview if bill.paid == "insured" else None)
    return showing.split_part(kept) if kept else None


def _person(desk: Desk, bill: Any) -> dict[str, Any] | None:
    if bill.paid != "insured" or not bill.identification_id:
        return None
    row = identify.get(desk, bill.identification_id)
    return showing.person_part(desk, row, bill.total_fen) | {"expired": _is_old(desk, row)} if row else None


def _is_old(desk: Desk, row: Any) -> bool:
    return bool(clock.now() - row.read_at > parameters.of(desk.tenant_id).minutes("identification_valid"))


def _unknown(bill: Any, attempt: Any) -> dict[str, Any]:
    now = clock.now()
    asked_at = attempt.asked_at if attempt else bill.asked_at
    steps = [{"kind": "ok", "at": asked_at, "text": _("结算请求已送出：%(sums)s", sums=_sums(bill))}]
    if attempt and (attempt.state == "recovering" or now > attempt.deadline_at):
        steps.append({"kind": "wait", "at": attempt.deadline_at, "text": _("中心没有及时回答")})
    if attempt and attempt.tries > 1:
        steps.append({"kind": "again", "at": now, "text": _("用同一报文号再问中心，第 %(n)s 次", n=attempt.tries)})
    return {
        "since_seconds": max(0, int((now - asked_at).total_seconds())), "surrender_seconds": int(parameters.here().minutes("surrender_after").total_seconds()),
        "given_up": bool(attempt and attempt.given_up_at), "steps": steps,
    }  # fmt: skip


def _sums(bill: Any) -> str:
    """What was sent: who was to pay how much."""
    split = showing.split_part(bill.preview)
    parts: Sequence[tuple[str, int]] = [
        (_("合计"), split["total"]), (_("统筹"), split["fund"] + split["other_funds"]), (_("账户"), split["account"] + split["mutual"]), (_("现金"), split["cash"]),
    ]  # fmt: skip
    return " · ".join(f"{word} {show_fen(amount_fen)}" for word, amount_fen in parts)
