"""The search of the bar: a product, a code, a sale or a refund of this facility, by what is printed on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from app.core import signin
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.db import run
from app.facility.stock.shelf import papers, passport

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("search", __name__)
STAFF = ("clerk", "pharmacist", "owner")
MOST_TYPED = 100
MOST_FOUND = 20

DOCUMENT = """
select 'sale' as kind, id from sale where facility_id = :facility and receipt = :number and state = 'settled'
union all select 'refund', id from refund where facility_id = :facility and receipt = :number limit 1
"""


@blueprint.get("/search")
@needs(*STAFF)
def search() -> ResponseReturnValue:
    """Open what was asked for when there is one such thing; else show what fits, or say that nothing does."""
    text = request.args.get("q", "").replace("\0", "").strip()[:MOST_TYPED]
    address = _code(text) or _document(text)
    products = catalog.find_products(text, limit=MOST_FOUND) if text and not address else []
    if len(products) == 1:
        address = url_for("stock.show", product=products[0].id)
    if address:
        return redirect(address, 303)
    return render_template("facility/counter/search.html", q=text, products=products, more=len(products) == MOST_FOUND)


def _code(text: str) -> str:
    """The life of a trace code this organization knows."""
    if not re.fullmatch(r"[0-9]{20}", text):
        return ""
    return url_for("stock.show_code", code=text) if passport.is_known(text) else ""


def _document(text: str) -> str:
    """A sale opens where its lines can be seen and taken back; a refund and the stock room's papers where they stand."""
    if not re.fullmatch(r"[A-Za-z]{1,2}[0-9]{2}-[0-9]{4}-[0-9]{1,9}", text):
        return ""
    row = run(DOCUMENT, facility=signin.here().facility_id, number=text.upper()).one_or_none()
    if row is None:
        return _paper(text.upper())
    if row.kind == "sale":
        return url_for("counter.new_refund", receipt=text.upper())
    return url_for("counter.show_refund", refund_id=row.id)


def _paper(number: str) -> str:
    """A receipt of goods, a transfer, a count, a paper of the stock room or a price change."""
    known = papers.find(signin.here().facility_id, number)
    return url_for(known[0], **known[1]) if known and known[0] in current_app.view_functions else ""
