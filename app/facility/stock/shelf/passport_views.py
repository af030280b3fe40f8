"""The page of one code: its states and events as a life line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template
from flask_babel import gettext as _

from app.core import clock
from app.core.signin import needs
from app.facility.stock.shelf import passport
from app.facility.stock.views import STAFF
from app.facility.stock.views import blueprint as stock

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@stock.get("/codes/<code>")
@needs(*STAFF)
def show_code(code: str) -> ResponseReturnValue:
    """What this organization knows of one trace code, from the shelf to the customer and back."""
    head, events = passport.get_code(code.replace("\x00", "")[:100])
    stops = passport.draw(events, head.pack_size)
    return render_template(
        "facility/stock/shelf/code.html", head=head, stops=stops, drawn=len(stops) <= passport.MOST_DRAWN, cut=len(stops) >= passport.MOST_EVENTS,
        today=clock.business_date(), span=lasting,
    )  # fmt: skip


def lasting(seconds: int) -> str:
    """A length of time in its largest unit: 15 天, 3 小时, 41 秒."""
    for size, word in ((DAY, _("%(n)s 天")), (HOUR, _("%(n)s 小时")), (MINUTE, _("%(n)s 分"))):
        if seconds >= size:
            return str(word) % {"n": f"{seconds // size:,}"}
    return str(_("%(n)s 秒", n=max(seconds, 1)))
