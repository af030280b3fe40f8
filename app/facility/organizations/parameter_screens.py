"""What the owner's screen of parameters is given: each with its value in force, its default, and what is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext

from app.core import clock
from app.facility.organizations import parameter_table as table
from app.facility.organizations import parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.facility.organizations.parameter_table import Parameter, Value


def parameters_page(asked: str, before: int | None) -> dict[str, Any]:
    """All parameters, and the one that stands open with its history."""
    opened = table.BY_NAME.get(asked, table.TABLE[0])
    changes = parameters.list_changes_now()
    history, following = parameters.list_history(opened.name, before)
    return {
        "rows": [_row(parameter, changes) for parameter in table.TABLE],
        "opened": _row(opened, changes) | _bounds(opened),
        "history": [_change(opened, change) for change in history],
        "following": following,
        "before": before,
        "today": clock.business_date(),
    }


def _row(parameter: Parameter, changes: Sequence[Any]) -> dict[str, Any]:
    now = clock.now()
    mine = [change for change in changes if change.name == parameter.name]
    held = [change for change in mine if change.begins_at <= now]
    coming = [change for change in mine if change.begins_at > now]
    value = table.stored(parameter, held[-1].value) if held else parameter.default
    return {
        "name": parameter.name,
        "kind": parameter.kind,
        "title": gettext(parameter.title),
        "reason": gettext(parameter.reason),
        "source": gettext(parameter.source),
        "value": shown(parameter, value),
        "usual": shown(parameter, parameter.default),
        "set": _change(parameter, held[-1]) if held else None,
        "next": _change(parameter, _first(coming)) if coming else None,
    }


def _first(coming: Sequence[Any]) -> Any:
    """What holds first: of changes that begin together the later set one."""
    return [change for change in coming if change.begins_at == coming[0].begins_at][-1]


def _change(parameter: Parameter, change: Any) -> dict[str, Any]:
    return {
        "value": shown(parameter, table.stored(parameter, change.value)),
        "begins_at": change.begins_at,
        "set_at": change.set_at,
        "staff": change.staff,
        "coming": change.begins_at > clock.now(),
    }


def _bounds(parameter: Parameter) -> dict[str, str]:
    if parameter.kind == "text":
        hint = gettext("%(least)s 到 %(most)s 位数字，中间可以有短横。", least=parameter.least, most=parameter.most)
    elif parameter.kind == "steps":
        hint = gettext(
            "最多 %(n)s 个数，各在 %(least)s 到 %(most)s 之间，用逗号隔开，如 90,60,30。",
            n=table.MOST_STEPS,
            least=parameter.least,
            most=parameter.most,
        )
    else:
        least, most = table.figure(parameter, parameter.least), shown(parameter, parameter.most)
        hint = gettext("%(least)s 到 %(most)s。", least=least, most=most)
    return {"hint": hint}


def shown(parameter: Parameter, value: Value) -> str:
    """A value with its unit: 30 分钟, 200.00 元, 12393."""
    return f"{table.figure(parameter, value)} {gettext(parameter.unit) if parameter.unit else ''}".strip()
