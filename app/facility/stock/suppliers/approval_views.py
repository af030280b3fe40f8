"""The pages of first approval: what waits, what was asked in one go, and products sent for approval by the hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.signin import needs
from app.facility.organizations import parameters
from app.facility.stock.suppliers import approval_queries, approvals, forms, paper_queries, rules
from app.facility.stock.suppliers.errors import DecisionIncomplete
from app.facility.stock.suppliers.views import JUDGES, ROOM, STAFF, said

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_approvals", __name__, url_prefix="/stock/approvals")
blueprint.before_request(forms.real_ids)
PAGE = approval_queries.PAGE


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "purchase_approvals.list_requests", "首营", STAFF, 40)


@blueprint.get("")
@needs(*STAFF)
def list_requests() -> ResponseReturnValue:
    """What waits for a decision, or what was decided."""
    decided = forms.arg("state") == "decided"
    rows = approval_queries.list_requests(waiting=not decided, before=forms.before_moment(forms.arg("before", 90)))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "facility/stock/suppliers/approvals.html", rows=rows[:PAGE], decided=decided, counts=approval_queries.counts(clock.business_date()),
        following=f"{last.asked_at.isoformat()}_{last.id}" if last else None, before=forms.arg("before", 90),
    )  # fmt: skip


@blueprint.get("/<uuid:request_id>")
@needs(*STAFF)
def show_request(request_id: UUID) -> ResponseReturnValue:
    """One request with its lines; another person who may judge decides all of it or what is ticked."""
    return _request_page(request_id)


def _request_page(request_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    asked = approval_queries.get_request(request_id)
    lines = approval_queries.list_lines(request_id, forms.number(forms.arg("after", 20)) or 0)
    me, supplier = signin.me(), lines[0].supplier_id if lines else None
    papers = [p for p in paper_queries.list_of_owner("supplier", supplier) if p.ended_at is None] if supplier else []
    products = [line.product_id for line in lines[:PAGE] if line.product_id]
    page = render_template(
        "facility/stock/suppliers/approval.html", asked=asked, lines=lines[:PAGE], papers=papers, kinds=said(rules.kinds_of(asked.subject)),
        papers_of=paper_queries.list_of_products(products) if products else {},
        today=clock.business_date(), steps=parameters.here().steps_of("licence_warning_days"), following=lines[PAGE - 1].id if len(lines) > PAGE else None,
        after=forms.arg("after", 20), may_decide=me.has(*JUDGES) and asked.staff_id != me.staff_id, own=asked.staff_id == me.staff_id,
        error=error, reason=forms.text("reason", 200),
    )  # fmt: skip
    return page, status


@blueprint.post("/<uuid:request_id>/decisions")
@needs(*JUDGES)
def decide(request_id: UUID) -> ResponseReturnValue:
    """Approve or refuse what another person asked for: all of it, or the lines that are ticked."""
    if request.form.get("decision") not in {"approve", "refuse"}:
        raise DecisionIncomplete(why=_("没有选通过还是不通过"))
    chosen = None if request.form.get("reach") == "all" else forms.numbers("line")
    approved = request.form["decision"] == "approve"
    try:
        done = approvals.decide(
            signin.here(), request_id, approved=approved, reason=forms.text("reason", 200), chosen=chosen
        )
    except DecisionIncomplete as refused:
        return _request_page(request_id, refused.message, refused.status)
    flash(_("已批准 %(n)s 项。", n=done) if approved else _("已退回 %(n)s 项。", n=done), "ok")
    return redirect(url_for(".list_requests"), 303)


@blueprint.route("/new", methods=["GET", "POST"])
@needs(*STAFF)
def ask_products() -> ResponseReturnValue:
    """Send products for approval: those ticked, or all that were in the catalog before today."""
    recheck = request.values.get("kind") == "recheck"
    error = ""
    if request.method == "POST" and request.form.get("reach") != "all" and not forms.numbers("product"):
        error = _("请先勾选要送审的商品。")
    elif request.method == "POST":
        everything = request.form.get("reach") == "all"
        before = clock.local(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0) if everything else None
        done = approvals.ask_products(
            signin.here(), forms.document(), [] if everything else forms.numbers("product"), came_before=before, recheck=recheck, note=forms.text("note", 200)
        )  # fmt: skip
        flash(_("已送审 %(n)s 种商品。", n=done), "ok")
        return redirect(url_for(".list_requests"), 303)
    today = clock.business_date()
    rows = approval_queries.products_to_ask(
        today, forms.arg("q"), recheck=recheck, after=forms.after_name(forms.arg("after", 240))
    )
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    page = render_template(
        "facility/stock/suppliers/approval_new.html", rows=rows[:PAGE], recheck=recheck, q=forms.arg("q"), counts=approval_queries.counts(today), today=today,
        following=f"{last.pinyin}~{last.id}" if last else None, after=forms.arg("after", 240), error=error,
    )  # fmt: skip
    return page, 422 if error else 200
