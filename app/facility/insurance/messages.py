"""What is said to the center and what is read from its answers. Plain values in, plain values out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.core import personal
from app.national import amounts, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PHARMACY_PURCHASE = "41"  # med_type 定点药店购药
NOT_IN_CATALOG = "NMLC999"  # What a line without a national code is called on the wire; such a line is out of scope.
_ECERT = re.compile(r"^\d{28}$")
_CARD = re.compile(r"^[A-Za-z][0-9A-Za-z]{7,29}$")
CERT_TYPES = {"ecert": "01", "certno": "02", "card": "03"}


@dataclass(frozen=True)
class Person:
    """The insured person as 1101 told us; sealed in the database, never shown whole."""

    psn_no: str
    name: str
    certno: str
    psn_cert_type: str
    insutype: str
    psn_type: str
    admdvs: str
    mdtrt_cert_type: str
    mdtrt_cert_no: str
    read_how: str = "typed"


@dataclass(frozen=True)
class Line:
    """One line of a purchase as the center is told it. Quantity counts sale units (packs, or single units when split)."""

    line_no: int
    national: str
    code: str
    quantity: Decimal
    price: Decimal
    amount_fen: int
    scanned_at: datetime
    rx_number: str = ""
    split: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """Who pays what (2101/2102), in fen, as the counter shows it."""

    total_fen: int
    full_fen: int
    over_fen: int
    pre_fen: int
    in_scope_fen: int
    deductible_fen: int
    pooled_fen: int
    other_funds_fen: int
    account_fen: int
    mutual_fen: int
    cash_fen: int
    balance_after_fen: int
    ratio: str
    setl_id: str = ""
    mdtrt_id: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    duplicates: tuple[str, ...] = ()

    @property
    def fund_fen(self) -> int:
        return self.pooled_fen + self.other_funds_fen


def kind_of_credential(text: str) -> str | None:
    """Tell an e-certificate (28 digits) from a citizen id (18) and a card number; None when it is none of them."""
    plain = text.strip().upper()
    if _ECERT.match(plain):
        return "ecert"
    if len(plain) == 18 and plain.isascii() and plain[:17].isdigit():
        return "certno"
    return "card" if _CARD.match(plain) else None


def person_question(
    cert_type: str, number: str, read_how: str, terminal: str, agent: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The input of 1101."""
    extra = {"credential": read_how, "operator_terminal": terminal, **({"agent": dict(agent)} if agent else {})}
    return {
        "data": {
            "mdtrt_cert_type": cert_type,
            "mdtrt_cert_no": number,
            "card_sn": number if cert_type == "03" else "",
            "begntime": "",
            "psn_cert_type": "01",
            "certno": number if cert_type == "02" else "-",
            "psn_name": "-",
            "exp_content": envelope.extension_text(extra),
        }
    }


def purchase(
    person: Person, lines: Sequence[Line], at: datetime, extra: Mapping[str, Any], *, codes: bool, account: bool = True
) -> dict[str, Any]:
    """The input of 2101 (without codes) and 2102 (with them)."""
    total = sum(line.amount_fen for line in lines)
    head = {
        "psn_no": person.psn_no,
        "mdtrt_cert_type": person.mdtrt_cert_type,
        "mdtrt_cert_no": person.mdtrt_cert_no,
        "card_sn": person.mdtrt_cert_no if person.mdtrt_cert_type == "03" else "",
        "psn_cert_type": person.psn_cert_type,
        "certno": person.certno,
        "psn_type": person.psn_type[:3],
        "psn_name": person.name[:20],
        "begntime": envelope.wire_time(at),
        "medfee_sumamt": amounts.yuan_of(total),
        "insutype": person.insutype,
        "dise_codg": "",
        "dise_name": "",
        "acct_used_flag": "1" if account else "0",
        "med_type": PHARMACY_PURCHASE,
        "exp_content": envelope.extension_text(extra),
    }
    return {"druginfo": head, "drugdetail": [_detail(line, codes=codes) for line in lines]}


def _detail(line: Line, *, codes: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "feedetl_sn": str(line.line_no),
        "rxno": line.rx_number,
        "rx_circ_flag": "1" if line.rx_number else "0",
        "fee_ocur_time": envelope.wire_time(line.scanned_at),
        "med_list_codg": line.national or NOT_IN_CATALOG,
        "medins_list_codg": line.code,
        "det_item_fee_sumamt": amounts.yuan_of(line.amount_fen),
        "cnt": str(line.quantity),
        "pric": f"{line.price:.6f}",
    }
    if codes:
        flag = "1" if line.split else "0"
        detail["durg_trac_info"] = [
            {"feedetl_sn": str(line.line_no), "drug_trac_codg": code, "trdn_flag": flag} for code in line.codes
        ]
    return detail


def cancel(person: Person, setl_id: str, mdtrt_id: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The input of 2103."""
    return {
        "data": {
            "setl_id": setl_id,
            "mdtrt_id": mdtrt_id,
            "psn_no": person.psn_no,
            "exp_content": envelope.extension_text(extra),
        }
    }


def reversal(psn_no: str, message_id: str, infno: str) -> dict[str, Any]:
    """The input of 2601."""
    return {"data": {"psn_no": psn_no, "omsgid": message_id, "oinfno": infno}}


def read_split(output: Mapping[str, Any]) -> Split:
    """Read who pays out of a 2101 or 2102 answer."""
    info = output["setlinfo"]
    shares = amounts.shares_of(info)
    extra = envelope.extension(info.get("exp_content"))
    pooled = amounts.fen_of(info.get("hifp_pay"))
    return Split(
        total_fen=amounts.fen_of(info.get("medfee_sumamt")),
        full_fen=amounts.fen_of(info.get("fulamt_ownpay_amt")),
        over_fen=amounts.fen_of(info.get("overlmt_selfpay")),
        pre_fen=amounts.fen_of(info.get("preselfpay_amt")),
        in_scope_fen=amounts.fen_of(info.get("inscp_scp_amt")),
        deductible_fen=amounts.fen_of(info.get("act_pay_dedc")),
        pooled_fen=pooled,
        other_funds_fen=shares.fund_fen - pooled,
        account_fen=shares.account_fen,
        mutual_fen=shares.mutual_fen,
        cash_fen=shares.cash_fen,
        balance_after_fen=amounts.fen_of(info.get("balc")),
        ratio=str(info.get("pool_prop_selfpay") or "0"),
        setl_id=str(info.get("setl_id") or ""),
        mdtrt_id=str(info.get("mdtrt_id") or ""),
        policy=extra.get("policy") or {},
        identity=extra.get("identity") or {},
        duplicates=tuple(
            str(row.get("code", row)) if isinstance(row, dict) else str(row) for row in extra.get("duplicates") or ()
        ),
    )


def read_person(output: Mapping[str, Any], cert_type: str, number: str, read_how: str) -> tuple[Person, dict[str, Any]]:
    """Read a 1101 answer: the person (to be sealed) and what the screen shows (masked)."""
    base = output["baseinfo"]
    covers = [row for row in output.get("insuinfo") or [] if isinstance(row, dict)]
    cover = next((row for row in covers if str(row.get("psn_insu_stas") or "1") == "1"), covers[0] if covers else {})
    extra = envelope.extension(base.get("exp_content"))
    person = Person(
        psn_no=str(base["psn_no"]), name=str(base["psn_name"]), certno=str(base["certno"]), psn_cert_type=str(base.get("psn_cert_type") or "01"),
        insutype=str(cover.get("insutype") or ""), psn_type=str(cover.get("psn_type") or ""), admdvs=str(cover.get("insuplc_admdvs") or ""),
        mdtrt_cert_type=cert_type, mdtrt_cert_no=number, read_how=read_how,
    )  # fmt: skip
    return person, _shown(base, cover, extra)


def _shown(base: Mapping[str, Any], cover: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    counters = extra.get("counters") or {}
    return {
        "masked_name": personal.mask_name(str(base["psn_name"])),
        "masked_certno": personal.mask_certno(str(base["certno"])),
        "sex": str(base.get("gend") or "0"),
        "age": int(Decimal(str(base.get("age") or 0))),
        "insutype": str(cover.get("insutype") or ""),
        "psn_type": str(cover.get("psn_type") or ""),
        "place": str(extra.get("place") or cover.get("insuplc_admdvs") or ""),
        "balance_fen": amounts.fen_of(cover.get("balc")),
        "mutual_fen": amounts.fen_of(extra.get("mutual_balance")),
        "status": str(extra.get("status") or "normal"),
        "status_text": str(extra.get("status_text") or ""),
        "account_only": bool(extra.get("account_only")),
        "deductible_used_fen": amounts.fen_of(counters.get("deductible_used")),
        "deductible_fen": amounts.fen_of(counters.get("deductible")),
        "fund_used_fen": amounts.fen_of(counters.get("fund_used")),
        "cap_fen": amounts.fen_of(counters.get("cap")),
        "entitlements": list(extra.get("entitlements") or []),
    }
