"""Pages of the catalog: the list, a product with its prices, its form. Imports have pages of their own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from wtforms.validators import ValidationError

from app.core import shell
from app.core.clock import CHINA
from app.core.errors import Refusal, WrongInput
from app.core.signin import me, needs
from app.core.web import per_language
from app.facility.catalog import actions, import_views, queries, rules
from app.facility.catalog.forms import NewProductForm, PriceForm, ProductForm
from app.facility.organizations import parameters

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

LOOKERS = ("owner", "pharmacist", "clerk")

blueprint = Blueprint("catalog", __name__, url_prefix="/catalog")
import_views.join(blueprint)


@blueprint.record_once
def _announce(state: BlueprintSetupState) -> None:
    shell.add_room(cast("Flask", state.app), "catalog.list_products", "pill", "目录", LOOKERS, 40)


@blueprint.app_template_global()
@per_language
def catalog_words() -> dict[str, dict[str, str]]:
    """The catalog's vocabulary in the language of the page."""
    kinds = {
        "rx": rules.RX_CLASSES,
        "storage": rules.STORAGES,
        "special": rules.SPECIAL_CLASSES,
        "insurance": rules.INSURANCE_CLASSES,
        "state": rules.STATES,
        "field": rules.LABELS,
    }
    return {kind: {key: gettext(word) for key, word in words.items()} for kind, words in kinds.items()}


@blueprint.get("/products")
@needs(*LOOKERS)
def list_products() -> ResponseReturnValue:
    """Show one page of products by pinyin."""
    text, rx_class, after = (request.args.get(name, "")[:200] for name in ("q", "rx_class", "after"))
    state = "stopped" if request.args.get("state") == "stopped" else "active"
    products, following = queries.list_products(text, rx_class if rx_class in rules.RX_CLASSES else "", state, after)
    kept: dict[str, Any] = {
        name: value
        for name, value in (("q", text), ("rx_class", rx_class), ("state", request.args.get("state", "")))
        if value
    }
    return render_template(
        "facility/catalog/products.html",
        products=products,
        counts=queries.count_products(),
        text=text,
        rx_class=rx_class,
        state=state,
        kept=kept,
        next_url=url_for(".list_products", **kept, after=following) if following else None,
        first_url=url_for(".list_products", **kept) if after else None,
        may_change=me().has("owner"),
    )


@blueprint.get("/products/<int:product_id>")
@needs(*LOOKERS)
def show_product(product_id: int) -> ResponseReturnValue:
    """Show a product and the history of its price."""
    return _product_page(product_id, PriceForm())


def _product_page(product_id: int, form: PriceForm, refusal: Refusal | None = None) -> ResponseReturnValue:
    product = queries.get_product(product_id)
    page = render_template(
        "facility/catalog/product.html",
        product=product,
        prices=queries.price_history(product_id),
        form=form,
        refusal=refusal,
        used=bool(queries.used_products([product_id])),
        may_change=me().has("owner"),
    )
    return page, refusal.status if refusal else 422 if form.errors else 200


@blueprint.route("/products/new", methods=["GET", "POST"])
@needs("owner")
def new_product() -> ResponseReturnValue:
    """Put a product into the catalog by hand."""
    form = NewProductForm(data={"expiry_warning_days": parameters.here().days("near_expiry_days")})
    if not form.validate_on_submit():
        return _form_page(form, 422 if form.errors else 200)
    try:
        product_id = actions.create_product(form.draft(), me().staff_id, *form.prices())
    except Refusal as refusal:
        return _form_page(form, refusal.status, refusal=refusal)
    flash(gettext("商品已建好。"), "ok")
    return redirect(url_for(".show_product", product_id=product_id), 303)


@blueprint.route("/products/<int:product_id>/edit", methods=["GET", "POST"])
@needs("owner")
def edit_product(product_id: int) -> ResponseReturnValue:
    """Correct a product."""
    product = queries.get_product(product_id)
    form = ProductForm(data=_typed(product)) if request.method == "GET" else ProductForm()
    if not form.validate_on_submit():
        return _form_page(form, 422 if form.errors else 200, product=product)
    try:
        actions.update_product(product_id, form.draft(), form.seen_digest.data or None)
    except Refusal as refusal:
        return _form_page(form, refusal.status, product=product, refusal=refusal)
    flash(gettext("已保存。"), "ok")
    return redirect(url_for(".show_product", product_id=product_id), 303)


def _typed(product: queries.ProductCard) -> dict[str, object]:
    """Return a product as its form shows it."""
    values = {name: getattr(product, name) for name in rules.FIELDS}
    share, ceiling = product.selfpay_share, product.ceiling_price
    values["selfpay_share"] = "" if share is None else f"{rules.number_text(share * 100)}%"
    values["ceiling_price"] = "" if ceiling is None else rules.number_text(ceiling)
    return {**{name: "" if value is None else value for name, value in values.items()}, "seen_digest": product.digest}


def _form_page(
    form: ProductForm, status: int, product: queries.ProductCard | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    return render_template("facility/catalog/form.html", form=form, product=product, refusal=refusal), status


@blueprint.post("/products/<int:product_id>/prices")
@needs("owner")
def add_price(product_id: int) -> ResponseReturnValue:
    """Let another price hold from now or from a day on."""
    form = PriceForm()
    if not form.validate():
        return _product_page(product_id, form)
    try:
        from_at = _start_of(form.from_on.data)
        actions.change_price(product_id, *form.prices(), me().staff_id, form.reason.data or "", from_at)
    except ValidationError as wrong:
        cast("list[str]", form.from_on.errors).append(str(wrong))
        return _product_page(product_id, form)
    except WrongInput as refusal:
        return _product_page(product_id, form, refusal)
    flash(gettext("新价格已记录。"), "ok")
    return redirect(url_for(".show_product", product_id=product_id), 303)


def _start_of(day: str | None) -> datetime | None:
    if not day:
        return None
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=CHINA)
    except ValueError as failure:
        raise ValidationError(gettext("没有这一天。")) from failure


@blueprint.post("/products/<int:product_id>/stops")
@needs("owner")
def stop_product(product_id: int) -> ResponseReturnValue:
    """Take a product out of use."""
    actions.stop_product(product_id)
    flash(gettext("商品已停用，收银和采购不再出现；已有记录不变。"), "ok")
    return redirect(url_for(".show_product", product_id=product_id), 303)


@blueprint.post("/products/<int:product_id>/resumptions")
@needs("owner")
def resume_product(product_id: int) -> ResponseReturnValue:
    """Put a stopped product back into use."""
    actions.resume_product(product_id)
    flash(gettext("商品已恢复使用。"), "ok")
    return redirect(url_for(".show_product", product_id=product_id), 303)
