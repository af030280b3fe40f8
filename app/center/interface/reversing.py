"""2103 and 2208 cancel a settlement, 2601 takes back a message of unknown outcome, 5203 reads a settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.fund.actions import reverse_settlement, withdraw_message
from app.center.fund.errors import NotReversible
from app.center.fund.queries import get_settlement
from app.center.interface.asked import text
from app.center.interface.settling import (
    ACCOUNT_FUND,
    FUND_TYPES,
    RESIDENTS,
    RESIDENTS_FUND,
    clearing_type,
    ratio_text,
)
from app.core import personal
from app.core.errors import WrongInput
from app.national import amounts, certno, codes, envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.center.interface.asked import Asked

REVERSIBLE = {"2102", "2207", "2304", "2401"}
FUNDS = ("hifp", "hifob", "cvlserv", "hifes", "hifmi", "maf", "oth")


def cancel(asked: Asked) -> bytes:
    """2103: reverse a whole purchase; the answer has every amount with the other sign."""
    return _cancelled(asked, ("2102",), lambda _original: {})


def cancel_visit_settlement(asked: Asked) -> bytes:
    """2208: reverse a whole settlement of a visit; its lines wait to be cancelled or settled again."""

    def whose(original: Any) -> dict[str, Any]:
        return {
            "psn_no": original.psn_no,
            "insutype": original.insutype,
            "med_type": original.med_type,
            "clr_type": clearing_type(original.institution_code, original.med_type),
            "clr_way": "1",
            "hosp_part_amt": "0.00",
            "pdn_cash_pay": amounts.yuan_of(-original.cash_fen),  # As the specification's table spells it.
        }

    return _cancelled(asked, ("2207", "2207A"), whose)


def _cancelled(asked: Asked, made_by: tuple[str, ...], more: Callable[[Any], dict[str, Any]]) -> bytes:
    data = asked.node("data")

    def write(original: Any, setl_id: str) -> bytes:
        info = {
            "setl_id": setl_id,
            "mdtrt_id": original.mdtrt_id,
            "setl_time": envelope.wire_time(asked.at),
            "clr_optins": original.district,
            "medins_setl_id": asked.request.msgid,
            "balc": amounts.yuan_of(original.balance_fen),
            **_money(original, -1),
            **more(original),
        }
        return asked.accepted({"setlinfo": info, "setldetail": _funds(original, -1)})

    return reverse_settlement(
        asked.message, text(data, "setl_id"), text(data, "mdtrt_id"), text(data, "psn_no"), write, made_by
    )


def take_back(asked: Asked) -> bytes:
    """2601: after it the message named is not settled and never will be."""
    data = asked.node("data")
    infno, omsgid = text(data, "oinfno"), text(data, "omsgid")
    if infno not in REVERSIBLE:
        raise NotReversible(why=f"交易 {infno} 不在可冲正之列")
    if omsgid == asked.request.msgid:
        raise WrongInput(what="omsgid", why="不能是本报文自己的编号")
    return withdraw_message(asked.message, omsgid, infno, text(data, "psn_no"), lambda: asked.accepted(None))


def read_settlement(asked: Asked) -> bytes:
    """5203: one settlement as it was made, and whether it was reversed."""
    data = asked.node("data")
    row = get_settlement(asked.institution.code, text(data, "setl_id"), text(data, "mdtrt_id"), text(data, "psn_no"))
    return asked.accepted({"setlinfo": _setlinfo(row), "setldetail": _funds(row, 1)})


def _setlinfo(row: Any) -> dict[str, Any]:
    money = _money(row, 1)
    money["psn_pay"] = money.pop("psn_part_amt")
    money["cash_payamt"] = money.pop("psn_cash_pay")
    return {
        "setl_id": row.setl_id,
        "mdtrt_id": row.mdtrt_id,
        "psn_no": row.psn_no,
        "psn_name": row.name,
        "psn_cert_type": row.psn_cert_type,
        "certno": personal.unseal("center", bytes(row.certno_sealed)),
        "gend": row.sex,
        "naty": row.ethnicity,
        "brdy": envelope.wire_date(row.born_on),
        "age": str(certno.age_on(row.born_on, row.settled_on)),
        "insutype": row.insutype,
        "psn_type": row.psn_type,
        "cvlserv_flag": "1" if row.civil_servant else "0",
        "pay_loc": "2",
        "fixmedins_code": row.institution_code,
        "fixmedins_name": row.institution_name,
        "begndate": envelope.wire_date(row.settled_on),
        "enddate": envelope.wire_date(row.settled_on),
        "setl_time": envelope.wire_time(row.settled_at),
        "mdtrt_cert_type": row.cert_type,
        "med_type": row.med_type,
        "clr_type": clearing_type(row.institution_code, row.med_type),
        "clr_way": "1",
        "clr_optins": row.district,
        **money,
        "balc": amounts.yuan_of(row.balance_fen),
        "medins_setl_id": row.msgid,
        "refd_setl_flag": "1" if row.reversed_by or row.reverses_setl_id else "0",
        "year": str(row.year),
        "dise_codg": row.disease,
        "opter_id": row.operator[:20],
        "opter_name": row.operator_name,
        "opt_time": envelope.wire_time(row.settled_at),
        "exp_content": envelope.extension_text(
            {
                "reversed_by": row.reversed_by or "",
                "reverses": row.reverses_setl_id or "",
                "replaces": row.replaces_setl_id or "",
            }
        ),
    }


def _money(row: Any, sign: int) -> dict[str, str]:
    """A stored settlement's amounts as the wire has them; own and mutual account become one."""
    own = sign * (row.current_fen + row.prior_fen)
    shares = amounts.Shares(sign * row.fund_fen, own, sign * row.mutual_fen, sign * row.cash_fen)
    return {
        "medfee_sumamt": amounts.yuan_of(sign * row.total_fen),
        "fulamt_ownpay_amt": amounts.yuan_of(sign * row.full_fen),
        "overlmt_selfpay": amounts.yuan_of(sign * row.over_fen),
        "preselfpay_amt": amounts.yuan_of(sign * row.pre_fen),
        "inscp_scp_amt": amounts.yuan_of(sign * row.inscope_fen),
        "act_pay_dedc": amounts.yuan_of(sign * row.deductible_fen),
        "pool_prop_selfpay": ratio_text(row.ratio),
        **{f"{fund}_pay": amounts.yuan_of(sign * getattr(row, f"{fund}_fen")) for fund in FUNDS},
        "hifdm_pay": "0.00",
        "psn_part_amt": amounts.yuan_of(sign * row.person_fen),
        **amounts.wire_shares(shares),
    }


def _funds(row: Any, sign: int) -> list[dict[str, Any]]:
    paid = {
        (RESIDENTS_FUND if fund == "hifp" and row.insutype == RESIDENTS else kind): getattr(row, f"{fund}_fen")
        for fund, kind in FUND_TYPES.items()
    }
    paid[ACCOUNT_FUND] = row.current_fen + row.prior_fen + row.mutual_fen
    return [
        {
            "fund_pay_type": kind,
            "inscp_scp_amt": amounts.yuan_of(sign * row.inscope_fen),
            "crt_payb_lmt_amt": "0.00",
            "fund_payamt": amounts.yuan_of(sign * amount),
            "fund_pay_type_name": codes.name("fund_pay_type", kind),
        }
        for kind, amount in paid.items()
        if amount
    ]
