"""The demo's phone: shows the e-certificate of a made-up person as a QR code and as text (医保码). Only in the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from flask import Blueprint, abort, current_app, render_template, request

from app.center.registry import demo
from app.center.registry.actions import ECERT_SECONDS, issue_ecert
from app.core import tenancy
from app.core.signin import public

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("ecert", __name__, url_prefix="/demo/ecert")
DISTRICT = "33"


@blueprint.get("")
@public
def list_people() -> ResponseReturnValue:
    """The made-up persons to choose from."""
    return _page()


@blueprint.post("")
@public
def issue() -> ResponseReturnValue:
    """Issue a fresh code for one of them, good for a minute and for one scan."""
    _only_in_the_demo()
    wanted = request.form.get("psn_no", "")
    chosen = next((person for person in demo.persons() if person.new.psn_no == wanted), None)
    if chosen is None:
        abort(404)
    with tenancy.acting_as(district=DISTRICT):
        code, expires = issue_ecert(chosen.new.psn_no, chosen.new.district)
    picture = segno.make(code, error="m", micro=False).svg_data_uri(scale=6, border=2)
    return _page(chosen=chosen, code=code, expires=expires, picture=picture, seconds=ECERT_SECONDS)


def _page(**facts: object) -> str:
    _only_in_the_demo()
    people = [
        {
            "psn_no": person.new.psn_no,
            "name": person.new.name,
            "certno": person.new.certno,
            "card": person.new.card,
            "about": person.about,
        }
        for person in demo.persons()
    ]
    return render_template("center/registry/ecert.html", people=people, **facts)


def _only_in_the_demo() -> None:
    if not current_app.config.get("DEMO"):
        abort(404)
