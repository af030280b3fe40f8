"""What somebody still has and what this visit adds, along sixty days."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

from app.facility.clinic.desk.reminders import InUse, Who
from app.facility.clinic.desk.rules import Content, Line, Sheet
from app.facility.clinic.desk.supplies import bars, drawn

TODAY = date(2026, 11, 22)
USED = InUse(1, "氨氯地平片", "Y1", TODAY - timedelta(days=9), TODAY + timedelta(days=5), 14)
CARD = SimpleNamespace(id=1, generic_name="氨氯地平片", rx_class="RX", base_unit="片", spec="5mg")


def written(days):
    return Content(sheets=(Sheet(uuid4(), "WESTERN", (Line(1, 7, days=days),)),))


def test_what_is_left_and_what_doubles_it_is_drawn():
    [bar] = bars(Who(in_use=(USED,)), written(7), {1: CARD}, TODAY)
    assert (str(bar.said), bar.warned) == ("重叠 5 天", True)
    assert bar.past == [(91.0, 60.7)]
    assert (bar.new, bar.over) == ((130.0, 30.3), (130.0, 21.7))


def test_without_a_new_one_it_says_how_long_it_lasts():
    [bar] = bars(Who(in_use=(USED,)), Content(), {}, TODAY)
    assert (str(bar.said), bar.warned, bar.new) == ("还可用 5 天", False, None)
    [gone] = bars(Who(in_use=(replace(USED, until=TODAY - timedelta(days=3)),)), Content(), {}, TODAY)
    assert str(gone.said) == "11-19 用完"
    long_ago = replace(USED, given_on=TODAY - timedelta(days=90), until=TODAY - timedelta(days=60))
    assert bars(Who(in_use=(long_ago,)), Content(), {}, TODAY) == []


def test_bars_end_where_the_drawing_ends():
    assert drawn(TODAY - timedelta(days=99), TODAY + timedelta(days=99), TODAY) == [(0.0, 260.0)]
    assert drawn(TODAY + timedelta(days=40), TODAY + timedelta(days=50), TODAY) == []
