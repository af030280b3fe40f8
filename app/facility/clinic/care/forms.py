"""How the pages of care read what was typed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from flask import request
from flask_babel import gettext as _

from app.core.errors import WrongInput
from app.core.money import yuan_to_fen
from app.facility.clinic import forms
from app.facility.clinic.care import rules
from app.facility.clinic.care.contracts import Terms
from app.facility.clinic.care.rules import FollowUp, Item, Package, Plan

if TYPE_CHECKING:
    from app.facility.clinic.care.queries import Place


def place(typed: str) -> Place | None:
    """Where a list by day goes on: day_id."""
    day, _sep, last = typed.partition("_")
    try:
        return date.fromisoformat(day), str(UUID(last))
    except ValueError:
        return None


def follow_up() -> FollowUp:
    """What came of asking after somebody."""
    systolic, diastolic = _pressure(forms.text("pressure", 10))
    return FollowUp(
        forms.text("kind", 10), forms.text("outcome", 10), systolic, diastolic, _tenths(forms.text("glucose", 6)), forms.day_or_none("next_on", _("下次日期")),
        forms.text("note", rules.MOST_NOTE),
    )  # fmt: skip


def _pressure(typed: str) -> tuple[int | None, int | None]:
    if not typed:
        return None, None
    high, _sep, low = typed.replace("／", "/").replace(" ", "/").partition("/")
    if not all(one.isascii() and one.isdigit() for one in (high, low)):
        raise WrongInput(what=_("血压"), why=_("请写成 138/86"))
    return int(high), int(low)


def _tenths(typed: str) -> int | None:
    if not typed:
        return None
    whole, _sep, part = typed.partition(".")
    if not (whole.isascii() and whole.isdigit() and (part == "" or (part.isascii() and part.isdigit() and len(part) == 1))):  # fmt: skip
        raise WrongInput(what=_("血糖"), why=_("请写成 6.8，单位 mmol/L"))
    return int(whole) * 10 + int(part or 0)


def terms(patient_id: UUID) -> Terms:
    """What is agreed in a contract."""
    nurse = forms.number(forms.text("nurse", 18))
    return Terms(
        patient_id, forms.needed("package", _("服务包")), forms.needed("doctor", _("家庭医生")), nurse, forms.day("from_on", _("起期")),
        forms.day("until_on", _("止期")),
    )  # fmt: skip


def plan() -> tuple[Plan, date]:
    """A plan and the day from which it holds."""
    codes = tuple(forms.text("codes").upper().replace("，", " ").replace(",", " ").replace("、", " ").split())
    days = None if forms.text("stopped", 1) else forms.needed("days", _("间隔天数"))
    due = tuple(one for one in rules.DUE if one in request.form.getlist("due"))
    told = Plan(forms.text("code", 20), forms.text("name", 30), codes, days, due, forms.text("entitlement", 30))
    return told, forms.day("begins_on", _("生效日期"))


def package() -> tuple[Package, date]:
    """A package and the day from which it holds; services one a line: name and times a year."""
    fund, public, own = (yuan_to_fen(forms.text(name, 12) or "0") for name in ("fund", "public", "self"))
    items, offered = _items(forms.text("items", 600)), not forms.text("stopped", 1)
    told = Package(forms.text("code", 20), forms.text("name", 30), fund, public, own, items, offered)
    return told, forms.day("begins_on", _("生效日期"))


def _items(typed: str) -> tuple[Item, ...]:
    items = []
    for number, line in enumerate(filter(None, map(str.strip, typed.splitlines())), 1):
        name, _sep, times = line.rpartition(" ")
        if not name.strip() or not (times.isascii() and times.isdigit()):
            raise WrongInput(what=_("服务项目"), why=_("一行一项，名称后空一格写次数，如 随访 4"))
        items.append(Item(f"s{number}", name.strip(), int(times[:4])))
    return tuple(items)
