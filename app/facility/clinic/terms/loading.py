"""Loads a list of diagnoses, as the owner of the database: once for all organizations (诊断目录更新).

Loading the same list again changes nothing. A new version of a list ends the codes of its kinds that are gone; what was
signed with them stays readable, they are only no longer found.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from python_calamine import CalamineError, CalamineWorkbook

from app.core import clock
from app.core.errors import words
from app.facility.clinic.terms.errors import TermsUnreadable
from app.facility.clinic.terms.queries import KINDS
from app.facility.clinic.terms.sounds import keys_of
from app.facility.db import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from app.core.hot import Hot

MOST_TERMS = 200_000
MOST_CODE, MOST_NAME = 40, 200
AT_ONCE = 2_000
_HEADS = {"编码", "代码", "诊断编码", "疾病编码", "code"}

# Writes some terms; those that say the same already are not touched.
WRITE = """
insert into diagnosis_term (code, kind, name, initials, pinyin, search, grams, version, valid_from)
select code, kind, name, initials, pinyin, search, string_to_array(grams, ' '), %(version)s, %(today)s
from unnest(%(codes)s::text[], %(kinds)s::text[], %(names)s::text[], %(initials)s::text[], %(pinyins)s::text[], %(searches)s::text[], %(grams)s::text[])
    as given (code, kind, name, initials, pinyin, search, grams)
on conflict (code) do update set kind = excluded.kind, name = excluded.name, initials = excluded.initials, pinyin = excluded.pinyin,
    search = excluded.search, grams = excluded.grams, version = excluded.version, valid_until = null
where (diagnosis_term.kind, diagnosis_term.name, diagnosis_term.search, diagnosis_term.version, diagnosis_term.valid_until, diagnosis_term.grams)
    is distinct from (excluded.kind, excluded.name, excluded.search, excluded.version, null::date, excluded.grams)
returning (xmax = 0) as is_new
"""
# Ends what the list of this version no longer holds, kind by kind.
END = """
update diagnosis_term set valid_until = %(today)s
where valid_until is null and version <> %(version)s and kind = any(%(kinds)s::text[])
returning code
"""


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a list as a file says it."""

    code: str
    name: str
    kind: str = "WESTERN"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loading changed."""

    terms: int
    new: int
    changed: int
    ended: int


def load_terms(terms: Sequence[Term], version: str, progress: Callable[[int], object] | None = None) -> Loaded:
    """Make a list the present one, all or nothing; `progress` hears how many are written so far."""
    with transaction("owner", settings={}) as hot:
        return write_terms(hot, terms, version, progress)


def write_terms(
    hot: Hot, terms: Sequence[Term], version: str, progress: Callable[[int], object] | None = None
) -> Loaded:
    """Write a list in a transaction of the owner and end what is gone."""
    _check(terms, version)
    facts = {"version": version.strip(), "today": clock.business_date()}
    new = changed = 0
    for start in range(0, len(terms), AT_ONCE):
        rows = hot.run(WRITE, {**facts, **_columns(terms[start : start + AT_ONCE])})
        new += sum(row.is_new for row in rows)
        changed += sum(not row.is_new for row in rows)
        if progress:
            progress(min(start + AT_ONCE, len(terms)))
    ended = hot.run(END, {**facts, "kinds": sorted({term.kind for term in terms})})
    return Loaded(len(terms), new, changed, len(ended))


def _columns(terms: Iterable[Term]) -> dict[str, list[str]]:
    found = [(term, keys_of(term.name)) for term in terms]
    return {
        "codes": [term.code for term, _ in found],
        "kinds": [term.kind for term, _ in found],
        "names": [term.name for term, _ in found],
        "initials": [keys.initials for _, keys in found],
        "pinyins": [keys.pinyin for _, keys in found],
        "searches": [keys.search for _, keys in found],
        "grams": [" ".join(keys.grams) for _, keys in found],
    }


def _check(terms: Sequence[Term], version: str) -> None:
    if not version.strip() or len(version) > 60:
        raise TermsUnreadable(why=words("没有说明是哪个版本"))
    if not terms or len(terms) > MOST_TERMS:
        raise TermsUnreadable(why=words("文件里没有诊断，或超过 {most} 条", most=f"{MOST_TERMS:,}"))
    for term in terms:
        if not (0 < len(term.code) <= MOST_CODE and 0 < len(term.name) <= MOST_NAME and term.kind in KINDS):
            raise TermsUnreadable(
                why=words("有一行的编码、名称或类别不对：{row}", row=f"{term.code} {term.name} {term.kind}"[:80])
            )
    twice = [code for code, times in Counter(term.code for term in terms).items() if times > 1]
    if twice:
        raise TermsUnreadable(why=words("编码重复：{codes}", codes="、".join(twice[:5])))


# ---- files ---------------------------------------------------------------------------------------------------------------


def read_terms(path: Path, kind: str = "WESTERN") -> list[Term]:
    """Read a list from JSON ({code: name}), CSV or Excel (code, name and perhaps kind). Raises TermsUnreadable."""
    try:
        if path.suffix.lower() == ".json":
            return _from_json(json.loads(path.read_text("utf-8-sig")), kind)
        if path.suffix.lower() in {".xlsx", ".xls"}:
            rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
            return _from_rows([[str(cell) for cell in row] for row in rows], kind)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _from_rows(list(csv.reader(file)), kind)
    except (OSError, ValueError, csv.Error, CalamineError) as failure:
        raise TermsUnreadable(why=words("文件 {file} 无法读取", file=path.name)) from failure


def _from_json(found: Any, kind: str) -> list[Term]:
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise TermsUnreadable(why=words("JSON 不是“编码到名称”的一张表"))
    return [Term(_tidy(code), _tidy(name), kind) for code, name in found.items()]


def _from_rows(rows: list[list[str]], kind: str) -> list[Term]:
    tidy = [[_tidy(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if tidy and tidy[0][0].lower() in _HEADS:
        tidy = tidy[1:]
    if any(len(row) < 2 for row in tidy):
        raise TermsUnreadable(why=words("有的行不足编码、名称两列"))
    return [Term(row[0], row[1], row[2].upper() if len(row) > 2 and row[2] else kind) for row in tidy]


def _tidy(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
