"""3101 and 3103 as acts: a draft is looked at and what is found is kept; what was done with it is kept beside it (事前提醒)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from app.center.audit import reminder_statements as statements
from app.center.audit.errors import UnknownWarning
from app.center.audit.line_rules import (
    DEFAULT_DAYS,
    DEFAULT_LEFT,
    Draft,
    Finding,
    Limits,
    OrderLine,
    Supply,
    find,
    kind_of,
)
from app.center.db import transaction
from app.core import personal
from app.core.clock import business_date
from app.national import certno

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.center.fund.documents import Message

NOTHING: dict[str, str] = {}  # No officer's district: the interface serves every institution.
MOST_ORDERS = 200
MOST_ANSWERS = 200
_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft as the institution sends it; sex and birth day count only where nobody is registered."""

    psn_no: str
    mdtrt_id: str
    med_type: str
    sex: str
    born_on: date
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """A finding with the id under which its answer comes back."""

    jr_id: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Answered:
    """What was done with a warning: gone on all the same (1, with the reason), or changed (2)."""

    jr_id: str
    way: str
    reason: str


def remind(message: Message, checked: Checked) -> list[Warned]:
    """Look at a draft and keep what is found. The same draft again finds the same warnings. Two statements at most."""
    assert 0 < len(checked.lines) <= MOST_ORDERS
    today = business_date(message.arrived_at)
    kind = kind_of(checked.med_type)
    with transaction("interface", NOTHING) as hot:
        [facts] = hot.run(statements.FACTS, _questions(message, checked, kind, today))
        found = find(_draft(checked, kind, facts, today))
        warned = list({w.jr_id: w for w in (Warned(_id_of(message, checked, each), each) for each in found)}.values())
        if warned:
            rows = _json([_row(each) for each in warned]).decode()
            hot.run_last(statements.WARN, _keys(message, checked) | {"warnings": rows})
    return warned


def keep_answers(message: Message, answers: Sequence[Answered]) -> None:
    """Keep what was done with each warning (提醒反馈). Raises UnknownWarning when one is not this institution's."""
    assert 0 < len(answers) <= MOST_ANSWERS
    rows = {answer.jr_id: answer for answer in answers}
    with transaction("interface", NOTHING) as hot:
        [known] = hot.run(statements.KNOWN, {"warnings": sorted(rows), "institution": message.institution})
        if known.many != len(rows):
            raise UnknownWarning
        hot.run_last(
            statements.ANSWER,
            {
                "district": message.district,
                "operator": message.operator,
                "now": message.arrived_at,
                "answers": _json([rows[key] for key in sorted(rows)]).decode(),
            },
        )


def _questions(message: Message, checked: Checked, kind: str, today: date) -> dict[str, Any]:
    return {
        "mdtrt_id": checked.mdtrt_id,
        "institution": message.institution,
        "psn_no": checked.psn_no,
        "items": sorted({line.code for line in checked.lines}),
        "today": today,
        "parameters": [f"supply_days_{kind}", "supply_days_left"],
    }


def _draft(checked: Checked, kind: str, facts: Any, today: date) -> Draft:
    person = facts.person
    born = date.fromisoformat(person["born_on"]) if person else checked.born_on
    return Draft(
        today=today,
        sex=person["sex"] if person else checked.sex,
        age=certno.age_on(born, today),
        kind=kind,
        lines=checked.lines,
        limits={code: Limits(told["sex"], told["age_from"], told["age_to"]) for code, told in facts.items.items()},
        supplies=tuple(_supply(told) for told in facts.supplies),
        allowed_days=_number(facts.parameters, f"supply_days_{kind}", DEFAULT_DAYS[kind]),
        allowed_left=_number(facts.parameters, "supply_days_left", DEFAULT_LEFT),
    )


def _supply(told: Mapping[str, Any]) -> Supply:
    return Supply(
        code=told["code"],
        got_on=date.fromisoformat(told["got_on"]),
        until=date.fromisoformat(told["supply_until"]),
        days=told["days"],
        here=told["here"],
    )


def _number(parameters: Mapping[str, str], name: str, otherwise: int) -> int:
    told = parameters.get(name, "")
    return int(told) if told.isdecimal() else otherwise


def _id_of(message: Message, checked: Checked, finding: Finding) -> str:
    parts = [
        message.institution, checked.psn_no, checked.mdtrt_id, finding.rule_id, finding.line.rx_id, finding.line.code, finding.text,
    ]  # fmt: skip
    return hashlib.sha256(_json(parts)).hexdigest()[:32]


def _keys(message: Message, checked: Checked) -> dict[str, Any]:
    return {
        "institution": message.institution,
        "district": message.district,
        "psn_no": checked.psn_no,
        "mdtrt_id": checked.mdtrt_id,
        "operator": message.operator,
        "now": message.arrived_at,
    }


def _row(warned: Warned) -> dict[str, Any]:
    finding = warned.finding
    return {
        "jr_id": warned.jr_id,
        "rule_id": finding.rule_id,
        "rule_name": finding.rule_name,
        "rx_id": finding.line.rx_id,
        "code": finding.line.code,
        "severity": finding.severity,
        "amount_fen": finding.line.amount_fen,
        "content_sealed": f"\\x{personal.seal('center', finding.text).hex()}",
    }
