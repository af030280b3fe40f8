"""From what was read to a draft: checks the purchase, picks the terms, adjudicates. Pure; raises refusals.

Whose credential it is comes first, then the person's status, then the lines, then the money (DOMAIN 2.3, 1.1).
"""

from __future__ import annotations

import secrets
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.center.fund.documents import Claim, Draft, Item, Message, Person, Purchase, PurchaseLine, Terms
from app.center.fund.errors import (
    AmountMismatch,
    CodeClaimed,
    EntitlementMissing,
    IdentityHeld,
    LineNotAcceptable,
    NotReplaceable,
    SplitChanged,
    YearClosed,
)
from app.center.fund.policy import NO_POLICY, read_policy, read_segment
from app.center.fund.rules import PAYERS, Accounts, Counters, Line, adjudicate
from app.center.registry.errors import (
    CardLost,
    CodeNotUsable,
    CredentialMismatch,
    InstitutionNotInForce,
    NotCovered,
    PersonDeceased,
    PersonFrozen,
    UnknownPerson,
)
from app.core.clock import business_date, local
from app.core.money import fen, fen_to_yuan
from app.national import certno, codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.center.fund.documents import Judge

CHRONIC = "14"  # med_type: outpatient chronic or special disease (门诊慢特病)


def draft_of(message: Message, purchase: Purchase, facts: Any, judge: Judge, *, trial: bool = False) -> Draft:
    """Adjudicate a purchase over the facts that were read and locked. Raises a refusal and nothing was changed."""
    today = business_date(message.arrived_at)
    check_institution(facts.institution, today)
    person = person_of(purchase.psn_no, facts.person, today)
    if purchase.replaces:
        terms = _terms_of_original(purchase, facts.original, today, trial=trial)
    else:
        check_status(facts.person)
        _check_credential(purchase, facts, trial=trial)
        terms = _terms_of_today(purchase, facts, today)
    _check_amounts(purchase)
    items = tuple(item_of(facts.items.get(line.code), person) for line in purchase.lines)
    lines = tuple(_line(line, item, facts, purchase, terms) for line, item in zip(purchase.lines, items, strict=True))
    held = facts.held
    if purchase.replaces and not facts.original["reversed"]:
        held = _as_if_reversed(held, facts.original["used"])
    counters, accounts = counters_of(held), accounts_of(held)
    split = adjudicate(
        lines,
        terms.policy,
        counters,
        accounts,
        use_own=purchase.use_own,
        use_mutual=purchase.use_mutual,
        aids=terms.aids,
    )
    claims = claims_of(purchase.lines, facts.claims)
    draft = Draft(
        setl_id=new_id(message.district, message.arrived_at),
        mdtrt_id=purchase.mdtrt_id or new_id(message.district, message.arrived_at),
        at=message.arrived_at,
        person=person,
        purchase=purchase,
        terms=terms,
        items=items,
        lines=lines,
        split=split,
        counters=counters,
        accounts=accounts,
        identity=judge(message.arrived_at, _situation(message, purchase, facts, person, items), facts.weights),
        claims=claims,
    )
    if not trial:
        _check_before_writing(draft, facts.parameters)
    return draft


def new_id(district: str, at: datetime) -> str:
    """Make an id of ours: district (6), local time (14), ten random digits."""
    return f"{district}{local(at):%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}"


def check_institution(institution: Mapping[str, Any] | None, today: date) -> None:
    """Refuse who has no agreement in force."""
    if institution is None or today < date.fromisoformat(institution["agreement_from"]):
        raise InstitutionNotInForce(why="尚未生效")
    if today > date.fromisoformat(institution["agreement_until"]):
        raise InstitutionNotInForce(why="已到期")
    suspended = institution["suspended_until"]
    if suspended and today <= date.fromisoformat(suspended):
        raise InstitutionNotInForce(why=f"已暂停至 {suspended}")


def person_of(psn_no: str, told: Mapping[str, Any] | None, today: date) -> Person:
    """The person as answers name them."""
    if told is None:
        raise UnknownPerson
    born = date.fromisoformat(told["born_on"])
    return Person(psn_no, told["name"], told["sex"], told["ethnicity"], born, certno.age_on(born, today))


def check_status(told: Mapping[str, Any]) -> None:
    """Refuse insurance for lost cards, frozen persons and the dead (DOMAIN 2.3)."""
    if told["status"] == "lost":
        raise CardLost
    if told["status"] == "frozen":
        raise PersonFrozen(reason=told["reason"] or "-")
    if told["status"] == "deceased":
        raise PersonDeceased


def _check_credential(purchase: Purchase, facts: Any, *, trial: bool) -> None:
    told, credential = facts.person, purchase.credential
    if credential.certno_lookup is not None and credential.certno_lookup.hex() != told["certno"]:
        raise CredentialMismatch(what="证件号码")
    if credential.kind == "02" and credential.lookup.hex() != told["certno"]:
        raise CredentialMismatch(what="身份证号")
    if credential.kind == "03" and credential.lookup.hex() != told["card"]:
        raise CredentialMismatch(what="社会保障卡号")
    if credential.kind == "01":
        check_token(facts.token, purchase.psn_no, trial=trial)


def check_token(token: Mapping[str, Any] | None, psn_no: str | None, *, trial: bool) -> None:
    """Refuse a token that is unknown, another's, too old, or used; a trial does not use it up."""
    if token is None or not token["here"]:
        raise CodeNotUsable(why="不是在本机构扫码取得的")
    if psn_no is not None and token["psn_no"] != psn_no:
        raise CredentialMismatch(what="医保码")
    if token["expired"]:
        raise CodeNotUsable(why="已过期")
    if token["used"] and not trial:
        raise CodeNotUsable(why="已使用过")


def _terms_of_today(purchase: Purchase, facts: Any, today: date) -> Terms:
    coverage = facts.coverage
    if coverage is None or coverage["status"] == "stopped":
        raise NotCovered(insutype=codes.name("insutype", purchase.insutype))
    entitlements = tuple(facts.entitlements)
    chronic = purchase.med_type == CHRONIC
    if chronic and not any(e["kind"] == "chronic" and e["detail"] == purchase.disease for e in entitlements):
        raise EntitlementMissing(disease=purchase.disease or "未填写病种")
    wanted = "chronic" if chronic else coverage["person_class"]
    found = next((policy for policy in facts.policies if policy["person_class"] == wanted), None)
    pools = coverage["status"] == "normal"
    return Terms(
        policy=read_policy(found) if pools else NO_POLICY,
        aids=tuple(read_segment(segment) for segment in facts.aids) if pools and found else (),
        policy_on=today,
        person_class=coverage["person_class"],
        psn_type=coverage["psn_type"],
        civil_servant=coverage["civil_servant"],
        coverage_status=coverage["status"],
        entitlements=entitlements,
    )


def _terms_of_original(purchase: Purchase, original: Mapping[str, Any] | None, today: date, *, trial: bool) -> Terms:
    """A document that replaces another keeps the other's date, policy version and status.

    A trial may come before the reversal: the net is shown before anything is sent.
    """
    if original is None:
        raise NotReplaceable(setl_id=purchase.replaces, why="不存在")
    if original["year"] != today.year:
        raise YearClosed(year=original["year"])
    if not original["reversed"] and not trial:
        raise NotReplaceable(setl_id=purchase.replaces, why="尚未撤销")
    if original["replaced"]:
        raise NotReplaceable(setl_id=purchase.replaces, why="已经重新结算过")
    told = original["snapshot"]
    policy = read_policy(told["policy"])
    return Terms(
        policy=policy if policy.id else NO_POLICY,
        aids=tuple(read_segment(segment) for segment in told["aids"]),
        policy_on=date.fromisoformat(told["policy_on"]),
        person_class=told["person_class"],
        psn_type=told["psn_type"],
        civil_servant=told["civil_servant"],
        coverage_status=told["coverage_status"],
        entitlements=tuple(told["entitlements"]),
    )


def _check_amounts(purchase: Purchase) -> None:
    check_lines(purchase.lines)
    total = sum(line.amount_fen for line in purchase.lines)
    if total != purchase.total_fen:
        raise AmountMismatch(what="医疗费总额", expected=fen_to_yuan(total), sent=fen_to_yuan(purchase.total_fen))


def check_lines(lines: Sequence[PurchaseLine]) -> None:
    """Refuse lines whose numbers repeat or whose amount is not price times quantity."""
    seen: set[str] = set()
    for line in lines:
        if line.number in seen:
            raise LineNotAcceptable(line=line.number, why="明细流水号重复")
        seen.add(line.number)
        if line.quantity <= 0 or line.price < 0:
            raise LineNotAcceptable(line=line.number, why="数量应大于零，单价不能为负")
        expected = fen(line.price, line.quantity)
        if expected != line.amount_fen:
            raise AmountMismatch(
                what=f"第 {line.number} 行", expected=fen_to_yuan(expected), sent=fen_to_yuan(line.amount_fen)
            )


def item_of(told: Mapping[str, Any] | None, person: Person) -> Item:
    """What the catalog says of a line; what it does not list, or limits to others, is paid by the person in full."""
    if told is None:
        return Item("", "C", 10_000, None, contrary=False)
    contrary = is_contrary(told, person)
    grade = "C" if contrary else told["grade"]
    ceiling = Decimal(told["ceiling"]) if told["ceiling"] else None
    return Item(told["name"], grade, 10_000 if grade == "C" else told["selfpay"], ceiling, contrary)


def is_contrary(told: Mapping[str, Any], person: Person) -> bool:
    """Say whether a drug is limited to another sex or age than the person's."""
    if told["sex"] is not None and told["sex"] != person.sex:
        return True
    too_young = told["age_from"] is not None and person.age < told["age_from"]
    too_old = told["age_to"] is not None and person.age > told["age_to"]
    return too_young or too_old


def _line(line: PurchaseLine, item: Item, facts: Any, purchase: Purchase, terms: Terms) -> Line:
    """At a pharmacy the pooled fund shares a line only with a reviewed prescription; chronic: listed drugs only."""
    prescribed = facts.institution["kind"] != "pharmacy" or bool(line.rxno)
    listed = True
    if purchase.med_type == CHRONIC:
        told = facts.items.get(line.code)
        listed = told is not None and purchase.disease in told["diseases"]
    pooled = prescribed and listed and bool(terms.policy.segments)
    return Line(line.price, line.quantity, item.grade, item.selfpay, item.ceiling, pooled)


def counters_of(held: Mapping[str, Any]) -> Counters:
    """The year's counters as they were read; a year not yet opened has used up nothing."""
    return Counters(
        held["deductible_fen"] or 0,
        held["inscope_fen"] or 0,
        held["aid_burden_fen"] or 0,
        {payer: held[f"{payer}_fen"] or 0 for payer in PAYERS},
    )


def _as_if_reversed(held: Mapping[str, Any], used: Mapping[str, Any]) -> dict[str, Any]:
    """Counters and accounts as the reversal of a settlement will leave them."""
    back = {f"{pot}_fen": held[f"{pot}_fen"] + used[f"{pot}_fen"] for pot in ("current", "prior", "mutual")}
    counted = {name: (held[name] or 0) - used[name] for name in held if name not in back and name != "inscope_fen"}
    return back | counted | {"inscope_fen": (held["inscope_fen"] or 0) - used["shared_fen"]}


def accounts_of(held: Mapping[str, Any]) -> Accounts:
    """The accounts as they were read."""
    return Accounts(held["current_fen"], held["prior_fen"], held["mutual_fen"])


def claims_of(lines: Sequence[PurchaseLine], held: Mapping[str, Any]) -> tuple[Claim, ...]:
    """Decide for every scanned code: first here, another part of our own split pack, or sold before."""
    holders: dict[str, Mapping[str, Any]] = dict(held)
    claims = []
    for line in lines:
        for trace in line.codes:
            holder = holders.get(trace.code)
            shares = holder is not None and holder["here"] and holder["split"] and trace.split
            claims.append(
                Claim(line.number, trace.code, trace.split, holder is None, holder is not None and not shares)
            )
            holders.setdefault(trace.code, {"here": True, "split": trace.split})
    return tuple(sorted(claims, key=lambda claim: claim.code))


def _situation(
    message: Message, purchase: Purchase, facts: Any, person: Person, items: Sequence[Item]
) -> dict[str, Any]:
    """What the audit may weigh, as plain values; what is not known is left out."""
    return {
        "sex": person.sex,
        "age": person.age,
        "credential": purchase.credential.read,
        "watched": facts.person["watched"],
        "place": facts.institution,
        "institutions_today": facts.others_today + 1,
        "last_visit": facts.last_visit,
        "drug_contrary": any(item.contrary for item in items),
        "cards_at_terminal": facts.other_cards + 1 if purchase.terminal else None,
        "own_family_doctor": {"kind": "family_doctor", "detail": message.institution} in facts.entitlements,
        "principals_of_agent": facts.other_principals + 1 if purchase.agent else None,
    }


def _check_before_writing(draft: Draft, parameters: Mapping[str, str]) -> None:
    if parameters.get("duplicate_code") == "refuse" and draft.duplicates:
        raise CodeClaimed(code=draft.duplicates[0].code)
    held = draft.identity.get("band") == "hold" or bool(draft.identity.get("elsewhere"))
    if parameters.get("identity_gate") == "hold" and held and not draft.purchase.override:
        raise IdentityHeld(why=draft.identity.get("elsewhere") or f"评分 {draft.identity.get('score')}")
    split = draft.split
    if draft.purchase.parts not in {None, (split.full_fen, split.over_fen, split.pre_fen, split.inscope_fen)}:
        raise SplitChanged(cash=fen_to_yuan(split.cash_fen))
    if draft.purchase.expected not in {None, (split.fund_fen, split.own_fen, split.mutual_fen, split.cash_fen)}:
        raise SplitChanged(cash=fen_to_yuan(split.cash_fen))
