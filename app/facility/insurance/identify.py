"""Who stands at the counter (身份核验): 6101 for an e-certificate, 9001 once a day, 1101, and what the score asks for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from app.core import clock, personal
from app.core.errors import Outage, words
from app.core.money import fen_to_yuan
from app.facility.db import transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import messages
from app.facility.insurance.errors import (
    AgentNeeded,
    IdentificationExpired,
    MatchNotConfirmed,
    RefusedByCenter,
    WrongCredential,
)
from app.facility.organizations import parameters
from app.facility.stock.events import as_facts
from app.national import certno, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.tenancy import Desk

INSERT = """
insert into identification (tenant_id, id, facility_id, staff_id, credential, read_how, person_hash, sealed, shown, identity, buyer, agent_sealed, sign_no, read_at)
values (%(tenant)s, %(id)s, %(facility)s, %(staff)s, %(credential)s, %(read_how)s, %(person_hash)s, %(sealed)s, %(shown)s::jsonb, %(identity)s::jsonb,
    %(buyer)s, %(agent_sealed)s, %(sign_no)s, %(at)s)
on conflict (tenant_id, id) do nothing returning id
"""
SIGNED_IN = "select sign_no from center_sign_in where tenant_id = %(tenant)s and facility_id = %(facility)s and staff_id = %(staff)s and signed_on = %(today)s"
SIGN_IN = """
insert into center_sign_in (tenant_id, facility_id, staff_id, signed_on, sign_no) values (%(tenant)s, %(facility)s, %(staff)s, %(today)s, %(sign_no)s)
on conflict do nothing
"""
GET = "select * from identification where tenant_id = %(tenant)s and id = %(id)s and facility_id = %(facility)s"
CONFIRM_MATCH = """
update identification set matched_by = %(staff)s, override_reason = %(reason)s
where tenant_id = %(tenant)s and id = %(id)s and facility_id = %(facility)s returning id
"""
NOTE_SCORE = "update identification set identity = %(identity)s::jsonb where tenant_id = %(tenant)s and id = %(id)s"
APPEND = "select number from append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb)"

PHONE = re.compile(r"\+?\d{7,15}")
SENTENCES = {
    "ecert": words("医保码应为 28 位数字"),
    "certno": words("身份证号校验位不对，请核对每一位"),
    "card": words("卡号应为一个字母加 8 位数字"),
}


def identify(
    desk: Desk,
    identification_id: UUID,
    text: str,
    read_how: str,
    buyer: str = "self",
    agent: Mapping[str, str] | None = None,
) -> UUID:
    """Read a credential and ask the center whose it is (1101); keeps the answer sealed and returns its id.

    `text` is an e-certificate's QR text, a citizen id or a card number; `read_how` is typed, card or ecert. A purchase for
    another names the agent (代购: name, certno, relation, reason, and a phone that stays here); both identities are kept. Raises WrongCredential,
    AgentNeeded, RefusedByCenter (lost, deceased, unknown …), Outage.
    """
    kind = _checked_kind(text)
    helper = _checked_agent(buyer, agent)
    number = _exchange(desk, text.strip()) if kind == "ecert" else text.strip().upper()
    sign_no = sign_in(desk)
    cert_type = messages.CERT_TYPES[kind]
    how = "ecert" if kind == "ecert" else read_how
    answer = desks.ask_once(
        desk,
        "1101",
        messages.person_question(cert_type, number, how, desk.terminal, _for_the_center(helper)),
        sign_no=sign_no,
    )
    if not answer.accepted:
        _tell(desk, "identity.blocked", identification_id, {}, answer.code or "refused")
        raise RefusedByCenter(why=answer.message)
    person, shown = messages.read_person(answer.output, cert_type, number, how)
    identity = envelope.extension(answer.output["baseinfo"].get("exp_content")).get("identity") or {}
    _keep(desk, identification_id, kind, person, shown, identity, buyer, helper, sign_no)
    return identification_id


def sign_in(desk: Desk) -> str:
    """The operator's sign-in number of today (9001); asked for once a day."""
    keys = {**desk.keys, "today": clock.business_date()}
    with transaction(settings=desk.settings) as hot:
        known = hot.run_last(SIGNED_IN, keys)
    if known:
        return str(known[0].sign_no)
    who = desks.operator_of(desk)
    answer = desks.ask_once(desk, "9001", {"signIn": {"opter_no": who.id[:20], "mac": "-", "ip": "-"}})
    if not answer.accepted:
        raise RefusedByCenter(why=answer.message)
    number = str(answer.output.get("signinoutb", {}).get("sign_no", ""))
    with transaction(settings=desk.settings) as hot:
        hot.run_last(SIGN_IN, {**keys, "sign_no": number})
    return number


def sign_out(desk: Desk) -> bool:
    """Tell the center that the operator's day is over (9002), at the close of a shift; False when there was nothing to tell.

    The shift is closed whether the center hears it or not, so an outage here is no refusal.
    """
    with transaction(settings=desk.settings) as hot:
        known = hot.run_last(SIGNED_IN, {**desk.keys, "today": clock.business_date()})
    if not known:
        return False
    content = {"signOut": {"sign_no": known[0].sign_no, "opter_no": desks.operator_of(desk).id[:20]}}
    try:
        return desks.ask_once(desk, "9002", content, sign_no=known[0].sign_no).accepted
    except Outage:
        return False


def get(desk: Desk, identification_id: UUID | str) -> Any | None:
    """One identification of this facility, or None."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(GET, {**desk.keys, "id": identification_id})
    return rows[0] if rows else None


def confirm_match(desk: Desk, identification_id: UUID, reason: str = "") -> None:
    """The operator has compared the person with the credential (人证一致); noted with name and reason, told to the center."""
    ask_from = parameters.of(desk.tenant_id).count("ask_from")
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_all(
            [
                (GET, {**desk.keys, "id": identification_id}),
                (CONFIRM_MATCH, {**desk.keys, "id": identification_id, "reason": reason or None}),
            ]
        )
        if rows[1]:
            identity = rows[0][0].identity
            kind = "identity.overridden" if score_of(identity) >= ask_from else "identity.checked"
            hot.run_last(
                APPEND, {**desk.keys, "facts": _fact(desk, kind, identification_id, identity, reason or "matched")}
            )


def block(desk: Desk, identification_id: UUID, reason: str) -> None:
    """The operator says that this is not the person; the center is told, nothing is settled by this reading."""
    row = get(desk, identification_id)
    if row is not None:
        _tell(desk, "identity.blocked", identification_id, row.identity, reason)


def note_score(desk: Desk, identification_id: UUID | str, identity: Mapping[str, Any]) -> None:
    """Keep the score that came back with a preview: the basket adds signals of its own."""
    with transaction(settings=desk.settings) as hot:
        hot.run_last(
            NOTE_SCORE, {**desk.keys, "id": identification_id, "identity": msgspec.json.encode(identity).decode()}
        )


def person_of(desk: Desk, loaded: Any, total_fen: int) -> messages.Person:
    """The person a sale is settled for. Raises IdentificationExpired, MatchNotConfirmed, AgentNeeded."""
    if why := needs_match(desk, loaded.identity, total_fen, loaded.matched_by, loaded.override_reason):
        raise MatchNotConfirmed(why=why)
    return person_read(desk, loaded)


def person_read(desk: Desk, loaded: Any) -> messages.Person:
    """The person a credential was read for, for a look that settles nothing. Raises IdentificationExpired."""
    valid = parameters.of(desk.tenant_id).minutes("identification_valid")
    if clock.now() - loaded.read_at > valid:
        raise IdentificationExpired(minutes=int(valid.total_seconds() // 60))
    return msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(loaded.sealed)), type=messages.Person)


def agent_of(desk: Desk, loaded: Any) -> dict[str, Any] | None:
    """Who buys for the insured person, when somebody else does."""
    if not loaded.agent_sealed:
        return None
    return _for_the_center(msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(loaded.agent_sealed))))


def needs_match(
    desk: Desk, identity: Mapping[str, Any], total_fen: int, matched_by: int | None, reason: str | None
) -> str:
    """Why somebody has to look before this may be settled; empty when nobody has to, or has."""
    band = band_of(desk, identity)
    if band != "pass" and not (matched_by and reason):
        who = words("须由主管核验") if band == "hold" else words("须查验身份证件并说明理由")
        if elsewhere := identity.get("elsewhere"):
            return words("{elsewhere}，{who}", elsewhere=elsewhere, who=who)
        return words("身份核验 {score} 分，{who}", score=score_of(identity), who=who)
    if total_fen > (above_fen := parameters.of(desk.tenant_id).fen("match_above")) and not matched_by:
        return words("本单超过 {amount} 元", amount=fen_to_yuan(above_fen))
    return ""


def band_of(desk: Desk, identity: Mapping[str, Any]) -> str:
    """Pass, ask or hold: the stricter of what the center said and of what the site's own limits say of the score.

    A card used elsewhere just now is asked about whatever its score (DOMAIN 2.5, hard check).
    """
    said, score, told = parameters.of(desk.tenant_id), score_of(identity), identity.get("band")
    if score >= said.count("hold_from") or told == "hold":
        return "hold"
    return "ask" if score >= said.count("ask_from") or told == "ask" or identity.get("elsewhere") else "pass"


def score_of(identity: Mapping[str, Any]) -> int:
    """The center's score, 0 when it gave none."""
    return int(identity.get("score") or 0)


def _checked_kind(text: str) -> str:
    kind = messages.kind_of_credential(text)
    if kind is None:
        raise WrongCredential(why="既不是医保码，也不是身份证号或社保卡号")
    if kind == "certno" and not certno.is_valid(text.strip().upper()):
        raise WrongCredential(why=SENTENCES["certno"])
    return kind


def _checked_agent(buyer: str, agent: Mapping[str, str] | None) -> dict[str, str] | None:
    if buyer == "self":
        return None
    helper = {key: str((agent or {}).get(key, "")).strip() for key in ("name", "certno", "relation", "reason", "phone")}
    helper["certno"] = helper["certno"].upper()
    if not helper["name"] or len(helper["name"]) > 40:
        raise AgentNeeded(why="没有填姓名")
    if not certno.is_valid(helper["certno"]):
        raise AgentNeeded(why=SENTENCES["certno"])
    if helper["phone"] and not PHONE.fullmatch(helper["phone"]):
        raise AgentNeeded(why="电话应为 7 到 15 位数字，可以不填")
    return helper


def _for_the_center(helper: Mapping[str, str] | None) -> dict[str, str] | None:
    """What the center is told of an agent: who it is. The phone stays here, for the pharmacy to call back."""
    return {key: value for key, value in helper.items() if key != "phone"} if helper else None


def _agent_shown(helper: Mapping[str, str]) -> str:
    return " ".join(filter(None, (personal.mask_name(helper["name"]), personal.mask_phone(helper.get("phone", "")))))


def _exchange(desk: Desk, text: str) -> str:
    """6101: an e-certificate's QR text for a token that lives a short while and is used once."""
    who = desks.operator_of(desk)
    here = desks.institution(desk.tenant_id, desk.facility_id).wire
    content = {
        "InData": {
            "orgId": here.code, "businessType": "01101", "businessInfo": text, "operatorId": who.id[:20], "operatorName": who.name[:30],
            "officeId": "01", "officeName": "收银", "deviceType": "",
        }
    }  # fmt: skip
    answer = desks.ask_once(desk, "6101", content)
    if not answer.accepted:
        raise RefusedByCenter(why=answer.message)
    return str(answer.output["OutData"]["ecToken"])


def _keep(
    desk: Desk,
    identification_id: UUID,
    kind: str,
    person: messages.Person,
    shown: Mapping[str, Any],
    identity: Mapping[str, Any],
    buyer: str,
    helper: dict[str, str] | None,
    sign_no: str,
) -> None:
    tenant = str(desk.tenant_id)
    shown = {**shown, "agent": _agent_shown(helper) if helper else ""}
    with transaction(settings=desk.settings) as hot:
        hot.run(
            INSERT,
            {
                **desk.keys, "id": identification_id, "credential": kind, "read_how": person.read_how, "person_hash": personal.lookup(person.psn_no),
                "sealed": personal.seal(tenant, msgspec.json.encode(person)), "shown": msgspec.json.encode(shown).decode(),
                "identity": msgspec.json.encode(identity).decode(), "buyer": buyer,
                "agent_sealed": personal.seal(tenant, msgspec.json.encode(helper)) if helper else None, "sign_no": sign_no, "at": clock.now(),
            },
        )  # fmt: skip
        hot.run_last(
            APPEND, {**desk.keys, "facts": _fact(desk, "identity.checked", identification_id, identity, "read")}
        )


def _tell(desk: Desk, kind: str, document: UUID, identity: Mapping[str, Any], reason: str) -> None:
    with transaction(settings=desk.settings) as hot:
        hot.run_last(APPEND, {**desk.keys, "facts": _fact(desk, kind, document, identity, reason)})


def _fact(desk: Desk, kind: str, document: UUID, identity: Mapping[str, Any], reason: str) -> str:
    signals = [
        {"code": str(signal.get("code", "")), "weight": int(signal.get("weight") or 0)}
        for signal in identity.get("signals") or []
        if signal.get("known", True)
    ]
    body = {
        "document": str(document), "at": clock.now().isoformat(), "operator": desk.operator, "terminal": desk.terminal, "score": score_of(identity),
        "signals": signals, "decision": str(identity.get("band") or ("blocked" if kind.endswith("blocked") else "pass")), "reason_code": reason[:60],
    }  # fmt: skip
    return as_facts(kind, body)


def renewed(person: messages.Person, **changes: str) -> messages.Person:
    """The same person with other fields, for the second leg of a refund."""
    return replace(person, **changes)
