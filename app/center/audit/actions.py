"""What the center's staff do with the identity score: set a weight or a limit from a day on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.center.audit.errors import WeightRefused
from app.center.audit.rules import LIMITS, TEXTS
from app.center.db import action, run
from app.core import trail
from app.core.clock import business_date
from app.core.errors import words

if TYPE_CHECKING:
    from datetime import date

MOST = 1000


@action
def set_weight(signal: str, weight: int, valid_from: date | None = None) -> None:
    """Set a signal's weight, or a limit of the score, from a day on (信号权重). What held before ends the day before.

    Raises WeightRefused for an unknown signal, a past day, a figure out of bounds, or a second change of one day.
    """
    day = valid_from or business_date()
    if signal not in TEXTS.keys() | LIMITS.keys():
        raise WeightRefused(why="没有这个信号")
    if day < business_date():
        raise WeightRefused(why="已经过去的日子不能改")
    least = 1 if signal in LIMITS else -MOST
    if not least <= weight <= MOST:
        raise WeightRefused(why=words("应在 {least} 到 {most} 之间", least=least, most=MOST))
    run(
        """
        update signal_weight set valid_until = :day - 1
        where signal = :signal and valid_from < :day and (valid_until is null or valid_until >= :day)
        """,
        signal=signal,
        day=day,
    )
    made = run(
        """
        insert into signal_weight (signal, valid_from, valid_until, weight)
        select :signal, :day, (select min(valid_from) - 1 from signal_weight where signal = :signal and valid_from > :day), :weight
        on conflict (signal, valid_from) do nothing returning signal
        """,
        signal=signal,
        day=day,
        weight=weight,
    ).one_or_none()
    if made is None:
        raise WeightRefused(why="这一天起的值已经定过")
    trail.record("signal.set", signal, weight=weight, valid_from=day.isoformat())
