"""2101, 2102 and 2206, 2207: a purchase or a visit's batch, split or settled. Reads the wire, lets audit and fund work, writes it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from app.center.audit.queries import judge_identity
from app.center.fund.actions import (
    MOST_CODES,
    MOST_LINES,
    Credential,
    Draft,
    Purchase,
    PurchaseLine,
    TraceCode,
    preview_settlement,
    settle_purchase,
)
from app.center.fund.visit_settling import preview_visit, settle_visit
from app.center.interface.asked import short, text
from app.core import personal
from app.core.errors import WrongInput
from app.national import amounts, certno, codes, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.center.interface.asked import Asked

READ_HOW = {"typed", "card", "ecert"}
FUND_TYPES = {
    "hifp": "310100",
    "hifob": "330100",
    "cvlserv": "320100",
    "hifes": "370100",
    "hifmi": "390200",
    "maf": "610100",
}
RESIDENTS_FUND, ACCOUNT_FUND = "390100", "310200"
RESIDENTS = "390"
GRADES = {"A": "01", "B": "02", "C": "03"}
CHARGED_AS = {"Z": "11", "T": "10", "C": "08"}  # By the first letter of the national code (med_chrgitm_type).
DRUG, TREATMENT = "09", "05"
CLEARED_AS = {"11", "12", "13", "14", "41"}
PURCHASES = {"2101", "2102"}
PARTS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")


def preview_purchase(asked: Asked) -> bytes:
    """2101: split a purchase; nothing is stored."""
    draft = preview_settlement(asked.message, read_purchase(asked), _judge)
    return asked.accepted(_output(asked, draft, trial=True))


def settle(asked: Asked) -> bytes:
    """2102: settle a purchase."""
    return settle_purchase(
        asked.message, read_purchase(asked), _judge, lambda draft: asked.accepted(_output(asked, draft))
    )


def preview_batch(asked: Asked) -> bytes:
    """2206: split a batch of a visit's lines; nothing is stored."""
    purchase, batch = read_batch(asked)
    draft = preview_visit(asked.message, purchase, batch, _judge)
    return asked.accepted(_output(asked, draft, trial=True))


def settle_batch(asked: Asked) -> bytes:
    """2207: settle a batch of a visit's lines."""
    purchase, batch = read_batch(asked)
    return settle_visit(asked.message, purchase, batch, _judge, lambda draft: asked.accepted(_output(asked, draft)))


def _judge(at: datetime, told: Mapping[str, Any], weights: Mapping[str, int]) -> Mapping[str, Any]:
    return judge_identity(at, told, weights).as_json()


# ---- reading -----------------------------------------------------------------------------------------------------


def read_purchase(asked: Asked) -> Purchase:
    """Turn the wire's purchase into ours: yuan into fen, numbers into keyed hashes, extensions into values."""
    head, rows = asked.node("druginfo"), asked.rows("drugdetail")
    if len(rows) > MOST_LINES:
        raise WrongInput(what="drugdetail", why=f"最多 {MOST_LINES} 行")
    lines = tuple(read_line(row, traced=asked.request.infno == "2102") for row in rows)
    if sum(len(line.codes) for line in lines) > MOST_CODES:
        raise WrongInput(what="追溯码", why=f"一次最多 {MOST_CODES} 个")
    return replace(_read_head(head), lines=lines, disease=text(head, "dise_codg"))


def read_batch(asked: Asked) -> tuple[Purchase, str]:
    """Turn the wire's settlement of a visit into ours; the lines lie at the center. Returns it with the batch's number."""
    head = asked.node("data")
    settled = not asked.request.infno.startswith("2206")
    full, over, pre, inscope = (amounts.fen_of(head.get(name)) for name in PARTS)
    purchase = replace(
        _read_head(head),
        mdtrt_id=text(head, "mdtrt_id"),
        parts=(full, over, pre, inscope) if settled else None,
    )
    return purchase, text(head, "chrg_bchno")


def _read_head(head: Mapping[str, Any]) -> Purchase:
    extra = envelope.extension(head.get("exp_content"))
    flag = text(head, "acct_used_flag")
    agent = _agent(extra)
    return Purchase(
        psn_no=text(head, "psn_no"),
        insutype=text(head, "insutype"),
        med_type=text(head, "med_type"),
        total_fen=amounts.fen_of(head.get("medfee_sumamt")),
        credential=_credential(head, extra),
        use_own=flag == "1",  # 1: own account, then the family's; 2: the family's only; 0: none.
        use_mutual=flag in {"1", "2"},
        lines=(),
        terminal=short(extra, "operator_terminal", 40),
        agent=personal.lookup(certno.normal(agent["certno"])) if agent else None,
        agent_sealed=personal.seal("center", json.dumps(agent, ensure_ascii=False)) if agent else None,
        replaces=short(extra, "replaces_setl_id", 30),
        expected=_expected(extra),
        override=short(extra, "override", 200),
    )


def _credential(head: Mapping[str, Any], extra: Mapping[str, Any]) -> Credential:
    kind, number = text(head, "mdtrt_cert_type"), text(head, "mdtrt_cert_no")
    sent = text(head, "certno")
    read = extra.get("credential")
    return Credential(
        kind=kind,
        lookup=personal.lookup(number if kind == "01" else certno.normal(number)),
        certno_lookup=None if sent == "-" else personal.lookup(certno.normal(sent)),
        read=read if isinstance(read, str) and read in READ_HOW else None,
    )


def read_line(row: Mapping[str, Any], *, traced: bool = False) -> PurchaseLine:
    """A line as it was sent. Trace codes travel with 2102 only; in 2101 no field rule has looked at them."""
    traces = (row.get("durg_trac_info") or row.get("drug_trac_info") or []) if traced else []
    return PurchaseLine(
        number=text(row, "feedetl_sn"),
        code=text(row, "med_list_codg"),
        own_code=text(row, "medins_list_codg"),
        price=amounts.decimal_of(row.get("pric")),
        quantity=amounts.decimal_of(row.get("cnt")),
        amount_fen=amounts.fen_of(row.get("det_item_fee_sumamt")),
        rxno=text(row, "rxno"),
        codes=tuple(
            TraceCode(text(trace, "drug_trac_codg"), text(trace, "trdn_flag") == "1")
            for trace in (traces if isinstance(traces, list) else [traces])
        ),
    )


def _agent(extra: Mapping[str, Any]) -> dict[str, str] | None:
    """Who buys for another (代购): both identities are kept, sealed."""
    told = extra.get("agent")
    if not isinstance(told, dict) or not short(told, "certno", 30):
        return None
    return {name: short(told, name, 50) for name in ("certno", "cert_type", "name", "relation", "reason")}


def _expected(extra: Mapping[str, Any]) -> tuple[int, int, int, int] | None:
    """The split the clerk saw, when the institution tells it."""
    told = extra.get("expected")
    if told is None:
        return None
    try:
        if not isinstance(told, dict) or not all(abs(Decimal(str(told[name]))) < 10**11 for name in amounts.EXPECTED):
            raise WrongInput(what="expected", why="应为四个金额")
        shares = amounts.shares_of(told)
    except (InvalidOperation, KeyError) as failure:
        raise WrongInput(what="expected", why="应为四个金额") from failure
    return shares.fund_fen, shares.account_fen, shares.mutual_fen, shares.cash_fen


# ---- writing -----------------------------------------------------------------------------------------------------


def _output(asked: Asked, draft: Draft, *, trial: bool = False) -> dict[str, Any]:
    info = _setlinfo(asked, draft)
    if trial:
        del info["setl_id"]
    output = {"setlinfo": info, "setldetail": _funds(draft)}
    if asked.request.infno in PURCHASES:  # A visit's lines were answered one by one when they were uploaded.
        output["detlcutinfo"] = _details(draft)
    return output


def _setlinfo(asked: Asked, draft: Draft) -> dict[str, Any]:
    purchase, person, terms, split = draft.purchase, draft.person, draft.terms, draft.split
    head = asked.node("druginfo" if asked.request.infno in PURCHASES else "data")
    return {
        "setl_id": draft.setl_id,
        "mdtrt_id": draft.mdtrt_id,
        "psn_no": purchase.psn_no,
        "psn_name": person.name,
        "psn_cert_type": text(head, "psn_cert_type"),
        "certno": text(head, "certno"),
        "gend": person.sex,
        "naty": person.ethnicity,
        "brdy": envelope.wire_date(person.born_on),
        "age": str(person.age),
        "insutype": purchase.insutype,
        "psn_type": terms.psn_type,
        "cvlserv_flag": "1" if terms.civil_servant else "0",
        "setl_time": envelope.wire_time(draft.at),
        "mdtrt_cert_type": purchase.credential.kind,
        "med_type": purchase.med_type,
        "medfee_sumamt": amounts.yuan_of(split.total_fen),
        "fulamt_ownpay_amt": amounts.yuan_of(split.full_fen),
        "overlmt_selfpay": amounts.yuan_of(split.over_fen),
        "preselfpay_amt": amounts.yuan_of(split.pre_fen),
        "inscp_scp_amt": amounts.yuan_of(split.inscope_fen),
        "act_pay_dedc": amounts.yuan_of(split.deductible_fen),
        "pool_prop_selfpay": ratio_text(split.ratio),
        **{f"{fund}_pay": amounts.yuan_of(paid) for fund, paid in split.funds.items()},
        "hifdm_pay": "0.00",
        "hosp_part_amt": "0.00",
        "psn_part_amt": amounts.yuan_of(split.person_fen),
        **amounts.wire_shares(amounts.Shares(split.fund_fen, split.own_fen, split.mutual_fen, split.cash_fen)),
        "balc": amounts.yuan_of(draft.balance_fen),
        "medins_setl_id": asked.request.msgid,
        "clr_optins": asked.institution.district,
        "clr_way": "1",
        "clr_type": clearing_type(asked.institution.code, purchase.med_type),
        "exp_content": envelope.extension_text(_extension(draft)),
    }


def clearing_type(institution: str, med_type: str) -> str:
    """Under which heading a settlement is cleared (清算类别): its own category, else that of its kind of institution."""
    if med_type in CLEARED_AS:
        return med_type
    return "41" if institution.startswith("P") else "11"


def charge_type(code: str) -> str:
    """What kind of charge a national code is (医疗收费项目类别)."""
    return TREATMENT if code[:1].isdigit() else CHARGED_AS.get(code[:1], DRUG)


def ratio_text(ratio: int) -> str:
    """A ratio as the wire has it: four decimals."""
    return f"{ratio // 10_000}.{ratio % 10_000:04d}"


def _extension(draft: Draft) -> dict[str, Any]:
    policy, split = draft.terms.policy, draft.split
    deductible = policy.deductible_fen
    return {
        "identity": draft.identity,
        "policy": {
            "version": policy.version,
            "name": policy.name,
            "ratio": ratio_text(policy.ratio),
            "deductible": amounts.yuan_of(deductible or 0),
            "deductible_left": amounts.yuan_of(
                max(0, (deductible or 0) - draft.counters.deductible_fen - split.deductible_fen)
            ),
            "policy_on": draft.terms.policy_on.isoformat(),
        },
        "mutual_pay": amounts.yuan_of(split.mutual_fen),
        "not_pooled": amounts.yuan_of(split.unpooled_fen),
        "over_cap": amounts.yuan_of(split.over_cap_fen),
        "account_only": not draft.terms.pools,
        "entitlements": [told["kind"] for told in draft.terms.entitlements],
        "duplicates": [{"code": claim.code, "line": claim.line} for claim in draft.duplicates],
    }


def _funds(draft: Draft) -> list[dict[str, Any]]:
    """One row for each fund that pays, and one for the account (setldetail)."""
    rows = [
        _fund(_fund_type(fund, draft.purchase.insutype), draft, paid, draft.room_fen(fund))
        for fund, paid in draft.split.funds.items()
        if paid and fund in FUND_TYPES
    ]
    own = draft.split.own_fen + draft.split.mutual_fen
    if own:
        held = draft.accounts
        rows.append(_fund(ACCOUNT_FUND, draft, own, held.current_fen + held.prior_fen + held.mutual_fen))
    return rows


def _fund_type(fund: str, insutype: str) -> str:
    return RESIDENTS_FUND if fund == "hifp" and insutype == RESIDENTS else FUND_TYPES[fund]


def _fund(kind: str, draft: Draft, paid: int, room: int) -> dict[str, Any]:
    return {
        "fund_pay_type": kind,
        "inscp_scp_amt": amounts.yuan_of(draft.split.inscope_fen),
        "crt_payb_lmt_amt": amounts.yuan_of(room),
        "fund_payamt": amounts.yuan_of(paid),
        "fund_pay_type_name": codes.name("fund_pay_type", kind),
        "setl_proc_info": "",
    }


def _details(draft: Draft) -> list[dict[str, Any]]:
    return [
        _detail(sent, item.name, line, split)
        for sent, item, line, split in zip(
            draft.purchase.lines, draft.items, draft.lines, draft.split.lines, strict=True
        )
    ]


def _detail(sent: PurchaseLine, name: str, line: Any, split: Any) -> dict[str, Any]:
    return {
        "feedetl_sn": sent.number,
        "det_item_fee_sumamt": amounts.yuan_of(split.amount_fen),
        "cnt": str(sent.quantity),
        "pric": f"{sent.price:.6f}",
        "pric_uplmt_amt": f"{line.ceiling:.6f}" if line.ceiling is not None else "0",
        "selfpay_prop": ratio_text(line.selfpay),
        "fulamt_ownpay_amt": amounts.yuan_of(split.full_fen),
        "overlmt_amt": amounts.yuan_of(split.over_fen),
        "preselfpay_amt": amounts.yuan_of(split.pre_fen),
        "inscp_scp_amt": amounts.yuan_of(split.inscope_fen),
        "chrgitm_lv": GRADES[line.grade],
        "med_chrgitm_type": charge_type(sent.code),
        "memo": name or "目录外",
    }
