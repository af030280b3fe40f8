"""Puts the demo world's own short list of diagnoses in place where none of their kind was loaded.

Codes and names of western diagnoses are those of the national list. Those of Chinese medicine follow the manner of
GB/T 15657-2021, but their numbers (A90, B90) are ours: the version says `demo`, and the first real list ends them.
"""

from __future__ import annotations

from pathlib import Path

from app.facility.clinic.terms.loading import Term, read_terms, write_terms
from app.facility.db import transaction

DIAGNOSES = Path(__file__).resolve().parents[4] / "demo" / "diagnoses.csv"
VERSION = "demo"
THERE = "select distinct kind from diagnosis_term where valid_until is null and version <> %(version)s limit 10"


def terms() -> list[Term]:
    """Read the demo's list."""
    return read_terms(DIAGNOSES)


def load() -> int:
    """Load it, as the database's owner; kinds that have a real list are left alone. Returns how many terms are new."""
    with transaction("owner", settings={}) as hot:
        there = {row.kind for row in hot.run(THERE, {"version": VERSION})}
        wanted = [term for term in terms() if term.kind not in there]
        return write_terms(hot, wanted, VERSION).new if wanted else 0
