"""What a doctor finds in the list of diagnoses. Never writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import words
from app.facility.catalog.pinyin import folded
from app.facility.clinic.terms.errors import UnknownDiagnosis
from app.facility.clinic.terms.sounds import BEGINNING, LONG, SHORT, SYLLABLE, grams
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

# Kind -> its word; the order in which they stand.
KINDS = {"WESTERN": words("西医诊断"), "TCM_DISEASE": words("中医病名"), "TCM_SYNDROME": words("中医证候")}
MOST_WORDS = 4
MOST_TEXT = 60
MOST_FOUND = 50
MOST_CODES = 50
_CODE = re.compile(r"[A-Z]\d[\w.+*]*", re.ASCII)
_LETTERS = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A term of the list: what is copied into a record, with the version it was taken from."""

    code: str
    name: str
    kind: str
    version: str
    current: bool = True
    times: int = 0  # How often this doctor signed it.


COLUMNS = "t.code, t.name, t.kind, t.version, t.valid_until is null"

# Each word has a condition of its own, see `_condition`. Exact code or name first, then what this doctor signs often,
# then names that begin so, initials that begin so, codes that begin so; shorter names before longer ones.
FIND = f"""
    select {COLUMNS}, coalesce(u.times, 0) as times
    from diagnosis_term t
    left join diagnosis_use u on u.staff_id = :staff and u.code = t.code
    where t.valid_until is null and t.kind = any(cast(:kinds as text[])) and {{words}}
    order by
        case when t.code = :code or split_part(t.search, ' ', 1) = :whole then 0 else 1 end,
        coalesce(u.times, 0) desc,
        case
            when t.search like :begins then 1
            when t.initials like :begins or t.initials like :also then 2
            when t.pinyin like :begins or t.code like :coded then 3
            else 4
        end,
        length(t.name), t.pinyin, t.code
    limit :limit
"""
OFTEN = f"""
    select {COLUMNS}, u.times
    from diagnosis_use u join diagnosis_term t on t.code = u.code
    where u.staff_id = :staff and t.valid_until is null and t.kind = any(cast(:kinds as text[]))
    order by u.times desc, u.last_at desc, t.code
    limit :limit
"""


def find_diagnoses(text: str, staff_id: int, kinds: Collection[str] = (), limit: int = 12) -> list[Diagnosis]:
    """Find present terms by initials, pinyin, any part of a name, the beginning of a code, or several of them.

    One statement; nothing typed, nothing found. `kinds` narrows, all of them when left out.
    """
    whole = folded(text.replace("\x00", ""))[:MOST_TEXT]
    typed = whole.split()[:MOST_WORDS]
    if not typed:
        return []
    conditions: list[str] = []
    params: dict[str, Any] = {}
    for number, word in enumerate(typed):
        condition, found = _condition(number, word)
        conditions.append(condition)
        params |= found
    first = _literal(typed[0])
    rows = run(
        FIND.format(words=" and ".join(conditions)),
        staff=staff_id,
        kinds=sorted(set(kinds) & KINDS.keys() or KINDS.keys()),
        code=_as_code(whole),
        whole="".join(typed),
        begins=f"{first}%",
        also=f"% {first}%",
        coded=f"{_literal(_as_code(typed[0]))}%",
        limit=max(1, min(limit, MOST_FOUND)),
        **params,
    )
    return _diagnoses(rows)


def frequent_diagnoses(staff_id: int, kinds: Collection[str] = (), limit: int = 12) -> list[Diagnosis]:
    """List what a doctor signs most often (常用诊断)."""
    rows = run(
        OFTEN,
        staff=staff_id,
        kinds=sorted(set(kinds) & KINDS.keys() or KINDS.keys()),
        limit=max(1, min(limit, MOST_FOUND)),
    )
    return _diagnoses(rows)


def get_diagnoses(codes: Sequence[str]) -> dict[str, Diagnosis]:
    """Return terms by code in one statement, ended ones too; unknown codes are missing."""
    wanted = sorted({code.replace("\x00", "") for code in codes})[:MOST_CODES]
    if not wanted:
        return {}
    rows = run(
        f"select {COLUMNS} from diagnosis_term t where t.code = any(cast(:codes as text[])) limit :limit",
        codes=wanted,
        limit=MOST_CODES,
    )
    return {found.code: found for found in _diagnoses(rows)}


def get_current(codes: Sequence[str]) -> list[Diagnosis]:
    """Return present terms in the order of their codes given, as a record takes them over. Raises UnknownDiagnosis."""
    found = get_diagnoses(codes)
    missing = [code for code in codes if code not in found or not found[code].current]
    if missing:
        raise UnknownDiagnosis(codes="、".join(missing[:5])[:MOST_TEXT])
    return [found[code] for code in codes]


def _diagnoses(rows: Iterable[Sequence[Any]]) -> list[Diagnosis]:
    return [Diagnosis(*row) for row in rows]


def _condition(number: int, word: str) -> tuple[str, dict[str, Any]]:
    """What one word asks of a term: each way of meeting it can use an index."""
    params: dict[str, Any] = {f"w{number}": f"%{_literal(word)}%"}
    ways = []
    if len(word) > 1:
        params[f"g{number}"] = grams(word)
        ways.append(f"(t.grams @> cast(:g{number} as text[]) and t.search like :w{number})")
    else:
        params[f"g{number}"] = [f"{BEGINNING}{word}" if word.isascii() else word]
        ways.append(f"t.grams @> cast(:g{number} as text[])")
    if len(word) >= SHORT and _LETTERS.fullmatch(word):
        anywhere = len(word) >= LONG
        params[f"p{number}"] = [SYLLABLE + word[:LONG] if anywhere else BEGINNING + word[:SHORT]]
        params[f"s{number}"] = f"%{word}%" if anywhere else f"{word}%"
        ways.append(f"(t.grams @> cast(:p{number} as text[]) and t.pinyin like :s{number})")
    code = _as_code(word)
    if len(word) > 1 and _CODE.fullmatch(code):
        params[f"c{number}"] = f"{_literal(code)}%"
        ways.append(f"t.code like :c{number}")
    return f"({' or '.join(ways)})", params


def _as_code(word: str) -> str:
    """A word as a code is written; the point of ICD-10 may be left out. The x of an extension stays small."""
    code = word[:1].upper() + word[1:].upper().replace("X", "x")
    return f"{code[:3]}.{code[3:]}" if re.fullmatch(r"[A-Z]\d\d[\dx]\S*", code, re.ASCII) else code


def _literal(text: str) -> str:
    """Take the meaning from what LIKE would read as a wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
