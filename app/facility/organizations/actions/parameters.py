"""Setting a parameter: a new row that holds from now or from a day to come. Nothing that held before is touched."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from app.core import clock, trail
from app.facility.db import action, run
from app.facility.organizations import parameter_table as table
from app.facility.organizations import parameters
from app.facility.organizations.actions.people import tenant
from app.facility.organizations.errors import (
    ParameterStart,
    ParameterUnchanged,
    ScoresTurnedRound,
    TooManyPlanned,
)
from app.facility.organizations.parameter_table import Parameter, Step

if TYPE_CHECKING:
    from app.facility.organizations.parameters import Parameters

FARTHEST = timedelta(days=3 * 366)


def set_parameter(name: str, typed: str, begins_on: date | None, staff_id: int) -> None:
    """Set a parameter from a day on (改参数); without a day, or today, at once.

    Raises NotFound, ParameterOutOfBounds, ParameterUnreadable, ParameterStart, ParameterUnchanged, TooManyPlanned,
    ScoresTurnedRound; then nothing was changed.
    """
    parameter = table.get_parameter(name)
    value = str(table.read_typed(parameter, typed))
    _set(parameter, value, begins_on, staff_id)
    parameters.forget(tenant())


@action
def _set(parameter: Parameter, value: str, begins_on: date | None, staff_id: int) -> None:
    # One change at a time, so that each is checked against the one before, and ids are committed in their order.
    run("select 1 from organization where tenant_id = :tenant for no key update", tenant=tenant())
    moment = clock.now()
    begins = _begins(begins_on, moment)
    _check(parameters.load(), parameter, Step(begins, 2**63 - 1, value), moment)
    row = run(
        """
        insert into parameter (tenant_id, name, value, begins_at, staff_id, set_at)
        values (:tenant, :name, :value, :begins, :staff, :at) returning id
        """,
        tenant=tenant(),
        name=parameter.name,
        value=value,
        begins=begins,
        staff=staff_id,
        at=moment,
    ).one()
    trail.record("parameter.set", parameter.name, change=int(row.id), value=value, begins_at=begins.isoformat())


def _begins(begins_on: date | None, moment: datetime) -> datetime:
    """Today means now; a later day begins at midnight in China."""
    today = clock.business_date(moment)
    if begins_on is None or begins_on == today:
        return moment
    if not today < begins_on <= today + FARTHEST:
        raise ParameterStart(first=today, last=today + FARTHEST)
    return datetime.combine(begins_on, time(), clock.CHINA).astimezone(UTC)


def _check(known: Parameters, parameter: Parameter, step: Step, moment: datetime) -> None:
    if str(known.value(parameter.name, step.begins_at)) == step.value:
        raise ParameterUnchanged
    mine = known.steps.get(parameter.name, ())
    if step.begins_at > moment and sum(each.begins_at > moment for each in mine) >= parameters.MOST_PLANNED:
        raise TooManyPlanned(most=parameters.MOST_PLANNED)
    after = {**known.steps, parameter.name: sorted([*mine, step])}
    if table.turned_round(after, step.begins_at):
        raise ScoresTurnedRound
