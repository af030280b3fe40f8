"""1101 who is this person, 6101 whose code is this, 9001 and 9002 the operator's day."""

from __future__ import annotations

import secrets
from datetime import date
from typing import TYPE_CHECKING, Any

from app.center.audit.queries import judge_identity
from app.center.fund.queries import recent_use
from app.center.interface.asked import short, text
from app.center.registry.errors import (
    CardLost,
    CodeNotUsable,
    CredentialMismatch,
    InstitutionNotInForce,
    NotCovered,
    PersonDeceased,
    PersonFrozen,
    SignOnMissing,
    UnknownPerson,
)
from app.center.registry.queries import exchange_ecert, find_insured, sign_off, sign_on
from app.core import personal
from app.core.clock import local
from app.core.errors import WrongInput
from app.national import amounts, certno, codes, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.center.interface.asked import Asked

ENTITLEMENTS = {
    "chronic": "门慢门特",
    "low_income": "低收入救助对象",
    "family_doctor": "家医签约",
    "civil_servant": "公务员",
}
LOW_INCOME = "2305"  # psn_idet_type of the code table: 低收入救助对象


def answer_person(asked: Asked) -> bytes:
    """1101: a person's base data, coverage and balance, with identity score and entitlements in exp_content."""
    data = asked.node("data")
    row = identified(asked, data)
    judged = judged_by_credential(asked, data, row)
    return asked.accepted(
        {
            "baseinfo": {
                "psn_no": row.psn_no,
                "psn_cert_type": row.cert_type,
                "certno": personal.unseal("center", bytes(row.certno_sealed)),
                "psn_name": row.name,
                "gend": row.sex,
                "naty": row.ethnicity,
                "brdy": envelope.wire_date(row.born_on),
                "age": str(certno.age_on(row.born_on, asked.today)),
                "exp_content": envelope.extension_text(_extension(row, judged)),
            },
            "insuinfo": [_cover(cover, row) for cover in row.covers],
            "idetinfo": [_entitlement(told) for told in row.entitlements if told["kind"] == "low_income"],
        }
    )


def identified(asked: Asked, data: Mapping[str, Any]) -> Any:
    """Find who presents a credential, and refuse whoever may not use insurance here and now."""
    row = _found(asked, text(data, "mdtrt_cert_type"), text(data, "mdtrt_cert_no"))
    _check(asked, data, row)
    _check_status(row)
    if not row.covers:
        raise NotCovered(insutype="医疗保险")
    return row


def _found(asked: Asked, kind: str, number: str) -> Any:
    row = find_insured(kind, _lookup(kind, number), asked.institution.code, asked.at, asked.today)
    if row is None:
        raise CodeNotUsable(why="无效") if kind == "01" else UnknownPerson
    return row


def _lookup(kind: str, number: str) -> bytes:
    return personal.lookup(certno.normal(number) if kind != "01" else number)


def _check(asked: Asked, data: Mapping[str, Any], row: Any) -> None:
    institution = row.institution
    today = asked.today.isoformat()
    if not institution["agreement_from"] <= today <= institution["agreement_until"]:
        raise InstitutionNotInForce(why="不在有效期内")
    token = row.token
    if token is not None and (not token["here"] or token["expired"] or token["used"]):
        raise CodeNotUsable(why="已过期或已使用")
    number = text(data, "certno")
    if number not in {"", "-"} and personal.lookup(certno.normal(number)) != bytes(row.certno_lookup):
        raise CredentialMismatch(what="证件号码")


def _check_status(row: Any) -> None:
    if row.status == "lost":
        raise CardLost
    if row.status == "frozen":
        raise PersonFrozen(reason=row.status_reason or "-")
    if row.status == "deceased":
        raise PersonDeceased


def judged_by_credential(asked: Asked, data: Mapping[str, Any], row: Any) -> dict[str, Any]:
    """The credential's signals; the basket's come with 2101 and 2206."""
    use = recent_use(row.psn_no, asked.institution.code, asked.at)
    told = {
        "sex": row.sex,
        "age": certno.age_on(row.born_on, asked.today),
        "credential": short(envelope.extension(data.get("exp_content")), "credential", 10) or None,
        "watched": row.watched,
        "place": row.institution,
        "institutions_today": use.others_today + 1,
        "last_visit": use.last_visit,
        "own_family_doctor": any(
            e["kind"] == "family_doctor" and e["detail"] == asked.institution.code for e in row.entitlements
        ),
    }
    return judge_identity(asked.at, told, row.weights).as_json()


def _extension(row: Any, judged: Mapping[str, Any]) -> dict[str, Any]:
    """Our own keys beside the national ones; the two balances are Zhejiang's names."""
    arrears = all(cover["status"] == "arrears" for cover in row.covers)
    cover = row.covers[0]
    return {
        "crtYearBalc": amounts.yuan_of(row.current_fen),
        "calYearBalc": amounts.yuan_of(row.prior_fen),
        "mutual_balance": amounts.yuan_of(row.mutual_fen),
        "status": "arrears" if arrears else row.status,
        "status_text": "欠缴待遇暂停，仅可使用个人账户" if arrears else "",
        "account_only": arrears,
        "entitlements": [_name(told) for told in row.entitlements] + (["公务员"] if cover["civil_servant"] else []),
        "place": cover["district"],
        "counters": _counters(cover),
        "identity": judged,
    }


def _name(told: Mapping[str, Any]) -> str:
    name = ENTITLEMENTS[told["kind"]]
    return f"{name} {told['detail']}" if told["kind"] == "chronic" else name


def _counters(cover: Mapping[str, Any]) -> dict[str, str]:
    """What the year has used of deductible and cap, under the policy of this institution."""
    used = cover["counters"] or {}
    segments = cover["segments"] or []
    own: Mapping[str, Any] = next((segment for segment in segments if segment["kind"] == "SELF"), {})
    shared: Mapping[str, Any] = next((segment for segment in segments if segment["kind"] == "SHARED"), {})
    return {
        "deductible_used": amounts.yuan_of(used.get("deductible_fen", 0)),
        "deductible": amounts.yuan_of(own.get("limit_fen", 0)),
        "fund_used": amounts.yuan_of(used.get("hifp_fen", 0)),
        "cap": amounts.yuan_of(shared.get("limit_fen", 0)),
    }


def _cover(cover: Mapping[str, Any], row: Any) -> dict[str, Any]:
    own = row.current_fen + row.prior_fen
    return {
        "balc": amounts.yuan_of(own),
        "insutype": cover["insutype"],
        "psn_type": cover["psn_type"],
        "psn_insu_stas": {"normal": "1", "arrears": "2", "stopped": "4"}[cover["status"]],
        "psn_insu_date": cover["valid_from"],
        "paus_insu_date": "",
        "cvlserv_flag": "1" if cover["civil_servant"] else "0",
        "insuplc_admdvs": cover["district"],
        "emp_name": cover["employer"],
    }


def _entitlement(told: Mapping[str, Any]) -> dict[str, Any]:
    begins = date.fromisoformat(told["valid_from"])
    return {
        "psn_idet_type": LOW_INCOME,
        "psn_type_lv": "",
        "memo": codes.name("psn_idet_type", LOW_INCOME),
        "begntime": f"{begins} 00:00:00",
        "endtime": "",
    }


def exchange_code(asked: Asked) -> bytes:
    """6101: an e-certificate's QR text for a token of this institution that lives a short while and pays once."""
    data = asked.node("InData")
    if text(data, "orgId") != asked.institution.code:
        raise WrongInput(what="orgId", why="应为本机构编码")
    code = text(data, "businessInfo").strip()
    if len(code) != 28 or not (code.isascii() and code.isdigit()):
        raise CodeNotUsable(why="格式不对，请使用医保电子凭证二维码")
    token = f"{code[-6:]}ecmec{secrets.token_hex(14)}"
    row = exchange_ecert(personal.lookup(code), personal.lookup(token), asked.institution.code, asked.at, asked.today)
    if row is None:
        raise CodeNotUsable(why="无效、已过期或已使用")
    return asked.accepted(
        {
            "OutData": {
                "userName": row.name,
                "idNo": personal.unseal("center", bytes(row.certno_sealed)),
                "idType": row.cert_type,
                "ecToken": token,
                "insuOrg": row.district,
                "authNo": "",
                "gender": row.sex,
                "birthday": envelope.wire_date(row.born_on),
            }
        }
    )


def begin_day(asked: Asked) -> bytes:
    """9001: note that an operator begins the day; the same day gives the same number."""
    operator = text(asked.node("signIn"), "opter_no")
    number = f"{local(asked.at):%Y%m%d%H%M%S}{secrets.randbelow(10**6):06d}"
    row = sign_on(asked.institution, operator, number, asked.at, asked.today)
    return asked.accepted({"signinoutb": {"sign_time": envelope.wire_time(row.signed_on_at), "sign_no": row.sign_no}})


def end_day(asked: Asked) -> bytes:
    """9002: note that an operator ends the day; refused without a beginning today."""
    data = asked.node("signOut")
    if not sign_off(asked.institution, text(data, "opter_no"), text(data, "sign_no"), asked.at, asked.today):
        raise SignOnMissing
    return asked.accepted({"signoutoutb": {"sign_time": envelope.wire_time(asked.at)}})
