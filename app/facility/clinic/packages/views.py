"""套餐: the owner says which services go together at what price, from a day on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import Refusal, WrongInput
from app.core.money import yuan_to_fen
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.clinic import forms
from app.facility.clinic.packages import actions, rules
from app.facility.clinic.packages.rules import Item, Package

if TYPE_CHECKING:
    from datetime import date

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_packages", __name__, url_prefix="/clinic/charging/packages")
KEEPERS = ("owner",)
MOST_FOUND = 20


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "clinic_charging.show", "clinic_packages.show", "套餐", KEEPERS, 30)


@blueprint.get("")
@needs(*KEEPERS)
def show() -> ResponseReturnValue:
    """The packages that hold and those to come; one of them open to be changed."""
    return _page()


@blueprint.post("")
@needs(*KEEPERS)
def set_package() -> ResponseReturnValue:
    """Set a package from a day on."""
    try:
        actions.set_package(signin.here(), *_typed())
    except Refusal as refused:
        return _page(refused)
    return redirect(url_for(".show"), 303)


def _page(refused: Refusal | None = None) -> ResponseReturnValue:
    known = actions.list_packages()
    chosen = next((one for one in known if one.code == forms.arg("package", 20)), None)
    cards = catalog.get_products(item.product_id for one in known for item in one.items)
    alone = {one.id: rules.list_fen(one, cards) for one in known}
    typed = forms.arg("q", 60)
    found = [one for one in catalog.find_products(typed, 50) if one.rx_class == "SERVICE"][:MOST_FOUND] if typed else []
    page = render_template(
        "facility/clinic/packages/packages.html", packages=known, coming=actions.list_coming(), chosen=chosen, cards=cards, alone=alone, q=typed, found=found,
        kinds=[(code, _(word)) for code, word in rules.KINDS.items()], today=clock.business_date(), error=refused.message if refused else "", form=request.form,
    )  # fmt: skip
    return page, refused.status if refused else 200


def _typed() -> tuple[Package, date]:
    """A package as it was typed: one item a line, its code or its whole name, then how often."""
    items = [_item(line) for line in forms.text("items", 2000).splitlines() if line.strip()]
    price_fen = yuan_to_fen(forms.text("price", 12), _("套餐价"))
    told = Package(
        forms.text("code", 20), forms.text("name", rules.MOST_NAME), forms.text("kind", 12), price_fen, tuple(items), not forms.text("stopped", 2),
    )  # fmt: skip
    return told, forms.day("begins_on", _("生效日期"))


def _item(line: str) -> Item:
    said, _space, many = line.strip().rpartition(" ")
    if not said or not (many.isascii() and many.isdigit() and len(many) < 4):
        said, many = line.strip(), "1"
    card = catalog.product_by_code(said.strip()) or _named(said.strip())
    if card is None or card.rx_class != "SERVICE":
        raise WrongInput(what=said.strip()[:30], why=_("目录里没有这个诊疗项目，请写编码或全名"))
    return Item(card.id, card.generic_name, int(many))


def _named(name: str) -> catalog.ProductCard | None:
    return next((one for one in catalog.find_products(name, MOST_FOUND) if one.generic_name == name), None)
