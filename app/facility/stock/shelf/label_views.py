"""The pages of labels: what is due for reprint, what to print of one product, and the sheet itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.barcodes import code128_svg, ean13_svg, fits_code128, is_ean13, qr_svg
from app.core.errors import WrongInput
from app.core.signin import needs
from app.facility.stock.shelf import labels, lot_queries, rules
from app.facility.stock.shelf.errors import LabelsNotPrinted
from app.facility.stock.shelf.labels import Label
from app.facility.stock.shelf.views import blueprint, number
from app.facility.stock.views import STAFF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.core.errors import Refusal


@blueprint.record_once
def _announce_labels(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_shelf.list_labels", "标签", STAFF, 80)


@blueprint.get("/labels")
@needs(*STAFF)
def list_labels() -> ResponseReturnValue:
    """Labels due for reprint: prices changed since the last print, or never printed."""
    return _list(request.args)


def _list(args: Mapping[str, str], ticked: Sequence[int] = (), refused: Refusal | None = None) -> ResponseReturnValue:
    facility = signin.here().facility_id
    which = args.get("which", "") if args.get("which", "") in labels.WHICH else "changed"
    text, after = (args.get(name, "").replace("\x00", "")[:300] for name in ("q", "after"))
    text = text[: rules.MOST_TYPED].strip()
    rows = labels.list_due(facility, which, text, after)
    last = rows[rules.PAGE - 1] if len(rows) > rules.PAGE else None
    if not refused and (which == "changed" or len(rows) == 1):
        ticked = [row.id for row in rows]
    page = render_template(
        "facility/stock/shelf/labels.html", rows=rows[: rules.PAGE], which=which, q=text, after=after, due=labels.count_due(facility), document=uuid4(),
        following=f"{last.figure}~{last.id}" if last else None, sizes=labels.SIZES, ticked=ticked, form=request.form, error=refused.message if refused else "",
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.get("/labels/new")
@needs(*STAFF)
def choose_labels() -> ResponseReturnValue:
    """What to print of one product: shelf label, split-pack label or near-expiry tag."""
    return _choose(number(request.args.get("product", "")))


def _choose(product: int, refused: Refusal | None = None) -> ResponseReturnValue:
    facility = signin.here().facility_id
    page = render_template(
        "facility/stock/shelf/label_new.html", card=lot_queries.get_product(facility, product), lots=labels.list_lots(facility, product), document=uuid4(),
        today=clock.business_date(), form=request.form, error=refused.message if refused else "",
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.post("/labels/prints")
@needs("clerk", "pharmacist", "owner")
def print_labels() -> ResponseReturnValue:
    """Write the print down and open its sheet; what is not right is said on the page it was chosen on."""
    form = request.form
    try:
        document = UUID(form.get("document", ""))
    except ValueError:
        raise WrongInput(what=_("标签"), why=_("页面不完整，请刷新后重填")) from None
    copies = number(form.get("copies", "")) or 1
    lot, quantity = (number(form.get(name, "")) or None for name in ("lot", "quantity"))
    kind, products = form.get("kind", "shelf"), [key for text in form.getlist("product")[: labels.MOST_LABELS + 1] if (key := number(text))]  # fmt: skip
    wanted = [
        Label(key, copies, lot if kind != "shelf" else None, quantity if kind == "split" else None, form.get("directions", "") if kind == "split" else "")
        for key in products
    ]  # fmt: skip
    try:
        labels.print_labels(signin.here(), document, kind, form.get("size", labels.SIZES[0]), wanted)
    except LabelsNotPrinted as refused:
        if "which" in form or not products:
            return _list(form, products, refused)
        return _choose(products[0], refused)
    return redirect(url_for(".show_labels", print_id=document), 303)


@blueprint.get("/labels/prints/<uuid:print_id>")
@needs(*STAFF)
def show_labels(print_id: UUID) -> ResponseReturnValue:
    """The sheet of labels, ready for the printer."""
    rows = labels.get_print(signin.here().facility_id, print_id)
    return render_template(
        "facility/stock/shelf/label_sheet.html",
        rows=rows,
        kind=rows[0].kind,
        size=rows[0].size,
        bars=bars,
        scans=labels.scan_codes(rows),
        qr=qr_svg,
    )


def bars(text: str) -> Any:
    """What is scanned off a label, as shops draw it; nothing for a text that no line of bars can hold."""
    if is_ean13(text):
        return ean13_svg(text)
    return code128_svg(text) if fits_code128(text) else ""
