"""What other rooms may ask of the audit: how sure are we who stands there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.center.audit.rules import Band, Judgement, Place, Situation, Visit, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Band", "Judgement", "judge_identity"]


def judge_identity(at: datetime, told: Mapping[str, Any], weights: Mapping[str, int]) -> Judgement:
    """Judge from plain values as the fund's and the registry's queries return them. A missing key is not known."""
    return judge(
        Situation(
            at=at,
            sex=told["sex"],
            age=told["age"],
            credential=told.get("credential"),
            watched=told.get("watched"),
            place=_place(told.get("place")),
            institutions_today=told.get("institutions_today"),
            last_visit=_visit(told.get("last_visit")),
            drug_contrary=told.get("drug_contrary"),
            cards_at_terminal=told.get("cards_at_terminal"),
            principals_of_agent=told.get("principals_of_agent"),
            own_family_doctor=told.get("own_family_doctor"),
        ),
        weights,
    )


def _place(told: Mapping[str, Any] | None) -> Place | None:
    if not told or told.get("latitude") is None or told.get("longitude") is None:
        return None
    return Place(float(told["latitude"]), float(told["longitude"]))


def _visit(told: Mapping[str, Any] | None) -> Visit | None:
    if not told:
        return None
    return Visit(datetime.fromisoformat(told["at"]), _place(told), told["here"])
