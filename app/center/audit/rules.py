"""Who stands at the counter? A score from signals, and hard checks that may hold a sale (DOMAIN 2.5). Pure.

A signal without data is "not known" and weighs nothing. Nothing here names another institution or a diagnosis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.core.clock import local

if TYPE_CHECKING:
    from collections.abc import Mapping

EARTH_KM = 6371.0
# Limits stand beside the weights, with dates of effect (DOMAIN 2.5, D); these hold where a center has set none.
LIMITS = {
    "limit_ask_score": 40,  # Below: pass. From here: ask for the identity card and a reason.
    "limit_hold_score": 70,  # From here: hold for the supervisor.
    "limit_institutions": 3,
    "limit_cards": 3,
    "limit_principals": 2,
    "limit_kmh": 120,
    "limit_elsewhere_minutes": 30,  # So long ago, and farther away than
    "limit_elsewhere_km": 20,
    "limit_anywhere_minutes": 15,  # So long ago, wherever it was.
}


class Band(StrEnum):
    """What the counter should do."""

    PASS = "pass"  # noqa: S105 - a band, not a password
    ASK = "ask"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an institution stands."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Visit:
    """An earlier settlement of the same person: when, where, and whether it was here."""

    at: datetime
    place: Place | None
    here: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a person at a counter. None means not known."""

    at: datetime
    sex: str
    age: int
    credential: str | None = None
    watched: bool | None = None
    place: Place | None = None
    institutions_today: int | None = None
    last_visit: Visit | None = None
    drug_contrary: bool | None = None
    cards_at_terminal: int | None = None
    principals_of_agent: int | None = None
    own_family_doctor: bool | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason that did or did not speak."""

    code: str
    weight: int
    known: bool
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "weight": self.weight, "known": self.known, "text": self.text}


@dataclass(frozen=True, slots=True)
class Judgement:
    """Score, band and reasons; `elsewhere` is the hard check that may need an override."""

    score: int
    band: Band
    signals: tuple[Signal, ...]
    elsewhere: str = ""

    def as_json(self) -> dict[str, Any]:
        signals = [signal.as_json() for signal in self.signals]
        return {"score": self.score, "band": self.band.value, "signals": signals, "elsewhere": self.elsewhere}


TEXTS = {
    "drug_contrary_to_person": "药品限定的性别或年龄与本人不符",
    "many_institutions_today": "今天已在多家机构使用",
    "impossible_speed": "与上次使用地点之间的速度超过每小时 {limit_kmh} 公里",
    "card_number_typed": "卡号为手工录入",
    "many_cards_at_terminal": "同一终端五分钟内使用多张卡",
    "first_use_large_amount": "首次在本机构使用且金额较大",
    "unusual_hour": "使用时间不同于平时",
    "outside_disease_profile": "药品与慢病档案不符",
    "agent_of_several": "同一代办人今天为多人代购",
    "watched_person": "重点关注人员",
    "face_confirmed": "人脸核验一致",
    "own_family_doctor": "在本人签约的机构",
}


def judge(situation: Situation, weights: Mapping[str, int]) -> Judgement:
    """Weigh every signal of the list; those without data are shown as not known. Limits come among the weights."""
    limits = {name: weights.get(name, usual) for name, usual in LIMITS.items()}
    spoken = _spoken(situation, limits)
    signals = tuple(
        Signal(
            code, weights.get(code, 0) if spoken.get(code) else 0, spoken.get(code) is not None, text.format(**limits)
        )
        for code, text in TEXTS.items()
    )
    score = sum(signal.weight for signal in signals)
    elsewhere = used_elsewhere(situation, limits)
    return Judgement(score, _band(score, elsewhere, limits), signals, elsewhere)


def _band(score: int, elsewhere: str, limits: Mapping[str, int]) -> Band:
    if score >= limits["limit_hold_score"]:
        return Band.HOLD
    return Band.ASK if score >= limits["limit_ask_score"] or elsewhere else Band.PASS


def _spoken(situation: Situation, limits: Mapping[str, int]) -> dict[str, bool | None]:
    """For each signal: true, false, or None when the data to know it are missing."""
    return {
        "drug_contrary_to_person": situation.drug_contrary,
        "many_institutions_today": _at_least(situation.institutions_today, limits["limit_institutions"]),
        "impossible_speed": _impossible_speed(situation, limits["limit_kmh"]),
        "card_number_typed": None if situation.credential is None else situation.credential == "typed",
        "many_cards_at_terminal": _at_least(situation.cards_at_terminal, limits["limit_cards"]),
        "agent_of_several": _at_least(situation.principals_of_agent, limits["limit_principals"]),
        "watched_person": situation.watched,
        "own_family_doctor": situation.own_family_doctor,
    }


def _at_least(count: int | None, many: int) -> bool | None:
    return None if count is None else count >= many


def _impossible_speed(situation: Situation, limit_kmh: int) -> bool | None:
    last, here = situation.last_visit, situation.place
    if last is None or last.place is None or here is None:
        return None
    hours = max((situation.at - last.at).total_seconds(), 60) / 3600
    return distance_km(last.place, here) / hours > limit_kmh


def used_elsewhere(situation: Situation, limits: Mapping[str, int] = LIMITS) -> str:
    """Say in a sentence that the card was used elsewhere just now; empty when it was not."""
    last = situation.last_visit
    if last is None or last.here:
        return ""
    ago = situation.at - last.at
    near_in_time = ago <= timedelta(minutes=limits["limit_anywhere_minutes"])
    if last.place is None or situation.place is None:
        return f"{_clock(last.at)} 曾在别处使用" if near_in_time else ""
    away = distance_km(last.place, situation.place)
    lately = ago <= timedelta(minutes=limits["limit_elsewhere_minutes"])
    if near_in_time or (lately and away > limits["limit_elsewhere_km"]):
        return f"{_clock(last.at)} 曾在 {away:.0f} 公里外使用"
    return ""


def _clock(at: datetime) -> str:
    return f"{local(at):%H:%M}"


def distance_km(one: Place, other: Place) -> float:
    """Distance between two places on the globe, in kilometres."""
    latitude, other_latitude = math.radians(one.latitude), math.radians(other.latitude)
    half_north = math.sin((other_latitude - latitude) / 2) ** 2
    half_east = math.sin(math.radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half_north + math.cos(latitude) * math.cos(other_latitude) * half_east))
