"""Codes scanned while unpacking: what a code stands for, and a case whose packs were scanned one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request
from flask_babel import gettext as _

from app.core import signin
from app.core.errors import WrongInput
from app.core.signin import needs
from app.facility.stock import rulebook
from app.facility.stock.purchasing import codes, delivery_forms
from app.facility.stock.purchasing.cascade_rules import MIDDLE

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_codes", __name__, url_prefix="/stock/codes")
LEAST_CODE = 6


@blueprint.post("/expand")
@needs(*rulebook.STAFF)
def expand() -> ResponseReturnValue:
    """Say which small codes a scanned code stands for, or that the small ones must be scanned (大码展开)."""
    found = codes.expand(_code("code"))
    return {"codes": list(found.codes), "level": found.level, "product": found.product_id, "asks": found.asks}


@blueprint.post("/cases")
@needs(*rulebook.STAFF)
def learn_case() -> ResponseReturnValue:
    """Remember what lies in a case, and that codes like it are cases; answers with its small codes."""
    parent, product = _code("parent"), delivery_forms.whole(request.form.get("product", ""))
    small = [code for code in delivery_forms.codes_in(request.form.get("children", "")) if code != parent]
    if not small or not product:
        raise WrongInput(what=_("箱码"), why=_("请先逐盒扫里面的小码"))
    codes.learn_case(signin.here(), parent, product, small)
    return {"codes": small, "level": MIDDLE, "product": product, "asks": False}


def _code(name: str) -> str:
    found = delivery_forms.codes_in(request.form.get(name, ""))
    if len(found) != 1 or len(found[0]) < LEAST_CODE:
        raise WrongInput(what=_("追溯码"), why=_("一次只扫一个码"))
    return found[0]
