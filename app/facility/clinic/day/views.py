"""The pages of the day's end: the summaries, the log of visits, what is still open; on paper and as files."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin, workbook
from app.core.ages import age_of
from app.core.errors import NotFound
from app.core.personal import mask_name
from app.core.signin import needs
from app.core.web import show_fen
from app.facility.clinic import visits
from app.facility.clinic.day import actions, queries
from app.facility.clinic.day.summaries import SUMMARIES, Column, Summary
from app.facility.clinic.dispensing.rules import LOT_REASONS, SWAP_REASONS
from app.facility.clinic.patients.rules import SEXES
from app.facility.clinic.reception import registering
from app.national import codes

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_day", __name__, url_prefix="/clinic/day")
STAFF = ("owner", "clerk", "pharmacist", "doctor", "nurse")
LOG = "log"
WORDS = ("text", "payer", "name", "moment", "reason")  # What a column holds that is no figure.


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    shell.add_room(cast("Flask", state.app), "clinic_day.show", "report-money", "日结", STAFF, 60, kind="clinic")


@blueprint.get("")
@needs(*STAFF)
def show() -> ResponseReturnValue:
    """What of today is still open, and today's money by doctor."""
    desk = signin.here()
    return render_template("facility/clinic/day/day.html", still=queries.what_is_open(desk), **_table(SUMMARIES["doctors"], _today()), **_frame("open", _today()))  # fmt: skip


@blueprint.get("/<table>")
@needs(*STAFF)
def show_summary(table: str) -> ResponseReturnValue:
    """A summary of some days, or the log of visits."""
    days = _days()
    if table == LOG:
        rows, following = queries.read_log(signin.here(), days, _after(request.args.get("after", "")))
        return render_template(
            "facility/clinic/day/log.html", rows=[_written(row) for row in rows], following=f"{following[0]}_{following[1]}" if following else None, **_frame(LOG, days),
        )  # fmt: skip
    return render_template("facility/clinic/day/summary.html", **_table(_summary(table), days), **_frame(table, days))


@blueprint.get("/<table>/print")
@needs(*STAFF)
def print_summary(table: str) -> ResponseReturnValue:
    """A summary, or the log, on A4."""
    days = _days()
    if table == LOG:
        rows = queries.read_whole_log(signin.here(), days)
        shown: dict[str, Any] = {"title": _("门诊日志"), "heads": [(name, "") for name in _log_heads()], "cells": [list(_written(row)["cells"]) for row in rows], "sums": []}  # fmt: skip
    else:
        summary, read = _summary(table), _table(_summary(table), days)
        shown = {
            "title": _("%(what)s汇总", what=str(summary.title)), "heads": [(str(each.name), "" if each.holds in WORDS else "n") for each in summary.columns],
            "cells": read["cells"], "sums": read["sums"],
        }  # fmt: skip
    return render_template(
        "facility/clinic/day/paper.html", at=clock.now(), key=table, first=days[0], last=days[1], **shown
    )


@blueprint.get("/<table>/excel")
@needs(*STAFF)
def export_summary(table: str) -> ResponseReturnValue:
    """A summary, or the log, as an Excel file."""
    days = _days()
    if table == LOG:
        rows = queries.read_whole_log(signin.here(), days)
        return workbook.send(_("门诊日志"), _log_heads(), (_written(row)["cells"] for row in rows), days=f"{days[0]}-{days[1]}")  # fmt: skip
    summary = _summary(table)
    found = queries.read_summary(signin.here(), summary, days)
    cells = ([_cell(each, row) for each in summary.columns] for row in found)
    return workbook.send(_("%(what)s汇总", what=str(summary.title)), [str(each.name) for each in summary.columns], cells, days=f"{days[0]}-{days[1]}")  # fmt: skip


@blueprint.post("/closings")
@needs("owner", "clerk")
def close() -> ResponseReturnValue:
    """Close the visits of which nothing is left to do; who came on a day before and was never seen is cancelled, at the center too."""
    closed = actions.close_visits(signin.here())
    if unseen := registering.end_unseen(signin.here()):
        flash(_("往日挂了号没有看的 %(n)s 个已退号，登记过医保的也向医保退。", n=unseen))
    flash(_("已结束 %(n)s 次就诊。还有事没做完的，留着不动。", n=closed) if closed else _("没有可以结束的就诊。"))
    return redirect(url_for(".show"), 303)


# ---- what stands on the pages --------------------------------------------------------------------------------------


def _frame(key: str, days: queries.Days) -> dict[str, Any]:
    return {"key": key, "first": days[0], "last": days[1], "today": clock.business_date(), "summaries": SUMMARIES.values(), "log_heads": _log_heads()}  # fmt: skip


def _table(summary: Summary, days: queries.Days) -> dict[str, Any]:
    """A summary as it is shown: its heads, its cells, the sums under them."""
    rows = queries.read_summary(signin.here(), summary, days)
    added = queries.totals(summary, rows)
    sums = [_shown(each, added[each.key]) if each.key in added else "" for each in summary.columns if added]
    return {"summary": summary, "cells": [[_text(each, row) for each in summary.columns] for row in rows], "sums": sums}


def _shown(column: Column, value: int | None) -> str:
    if value is None:
        return "—"
    if column.holds == "fen":
        return show_fen(value)
    return (
        f"{Decimal(value).scaleb(-2).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"
        if column.holds == "share"
        else str(value)
    )


def _text(column: Column, row: Any) -> str:
    """A cell on a page; names of people masked."""
    value = getattr(row, column.key)
    if column.key == "who" or column.holds == "name":
        number, _sep, name = value.partition(" ")
        return f"{number} {mask_name(name)}"
    if column.holds == "moment":
        return f"{value.astimezone(clock.CHINA):%m-%d %H:%M}"
    if column.holds == "reason":
        return (LOT_REASONS | SWAP_REASONS)[value].shown + (f"（{row.note}）" if row.note else "")
    if column.holds == "payer":
        return _("自费") if value == "self" else codes.name("insutype", value) or _("医保")
    if column.holds == "packs":
        return f"{row.packs} {row.unit}" + (f" + {row.loose}" if row.loose else "")
    return str(value) if column.holds == "text" else _shown(column, value)


def _cell(column: Column, row: Any) -> Any:
    """A cell of a file: figures stay figures."""
    value = getattr(row, column.key)
    if column.holds == "fen":
        return None if value is None else Decimal(value).scaleb(-2)
    return value if column.holds == "count" else _text(column, row)


def _log_heads() -> list[str]:
    return [
        _("日期"),
        _("就诊号"),
        _("患者"),
        _("性别"),
        _("年龄"),
        _("科室"),
        _("医师"),
        _("初复诊"),
        _("诊断"),
        _("付费方"),
    ]


def _written(row: Any) -> dict[str, Any]:
    """A line of the log."""
    payer = codes.name("insutype", row.insutype) if row.insutype else _("自费")
    cells = [
        str(row.visit_on), row.number, row.name_shown, _(SEXES.get(row.sex, "")), age_of(row.born_on, row.visit_on) or "", row.department,
        mask_name(row.doctor or ""), _(visits.KINDS[row.kind]), row.diagnoses or "", payer,
    ]  # fmt: skip
    return {"id": row.id, "cells": cells}


def _summary(key: str) -> Summary:
    if key not in SUMMARIES:
        raise NotFound
    return SUMMARIES[key]


def _today() -> queries.Days:
    return clock.business_date(), clock.business_date()


def _days() -> queries.Days:
    """The days asked for; today when nothing, or nothing readable, was asked."""
    today = clock.business_date()
    last = _day(request.args.get("to", "")) or today
    return _day(request.args.get("from", "")) or last, last


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _after(text: str) -> queries.Place | None:
    day, _sep, number = text.partition("_")
    found = _day(day)
    return (found, number[:40]) if found and number else None
