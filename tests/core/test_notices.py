"""Notices at the door come from a setting; what is over or not dated is not shown."""

from datetime import date

from app.core import clock, notices

TODAY = date(2026, 11, 22)


def test_notices_of_today_and_later_in_their_order():
    written = "2026-12-01 网络割接 | 2026-11-22 02:00–02:30 维护。\n其间医保结算暂停|2026-11-21 已过|没有日期|2026-13-01 不是日子|"

    assert [(notice.on.day, notice.text) for notice in notices.read(written, TODAY)] == [
        (22, "02:00–02:30 维护。\n其间医保结算暂停"),
        (1, "网络割接"),
    ]
    assert notices.read("", TODAY) == []


def test_only_so_many_and_so_long():
    many = "|".join(f"2026-12-{day:02d} {'长' * 500}" for day in range(1, 20))

    shown = notices.read(many, TODAY)

    assert len(shown) == notices.MOST
    assert all(len(notice.text) == notices.LONGEST for notice in shown)


def test_both_doors_show_them(facility_app, center_app):
    for app in (facility_app, center_app):
        app.config["NOTICES"] = f"{clock.business_date()} 02:00 <维护>"
        try:
            shown = app.test_client().get("/signin").text
        finally:
            app.config.pop("NOTICES")
        assert "02:00 &lt;维护&gt;" in shown
        assert "<维护>" not in shown
