"""What the counter's templates are given: the basket, the person, the money and what waits, in words and figures."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.core import clock, signin
from app.core.web import show_fen, show_price
from app.facility.counter import baskets, rules
from app.facility.counter import special_rules as special
from app.facility.counter.look import Look, look
from app.facility.db import transaction
from app.facility.insurance import identify, showing
from app.facility.organizations import parameters
from app.facility.till import shifts

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.tenancy import Desk


def counter_page(desk: Desk, **more: Any) -> dict[str, Any]:
    """Everything the whole counter needs, as of now."""
    seen = look(desk)
    found: dict[str, Any] = {
        "shift": {"opened_at": seen.shift.opened_at, "terminal": desk.terminal} if seen.shift else None,
        "terminal": desk.terminal, "basket": None, "person": None, "split": None, "groups": {},
        "unknown": _unknown(seen.unknown) if seen.unknown else None,
    }  # fmt: skip
    found |= waiting(seen)
    if seen.opened:
        found |= basket_parts(desk, seen.opened)
    return found | more


def sale_parts(desk: Desk, basket_id: UUID, **more: Any) -> dict[str, Any]:
    """What an answer to a change of the basket needs."""
    seen = look(desk)
    opened = seen.opened if seen.opened and seen.opened.id == basket_id else baskets.get_basket(desk, basket_id)
    return waiting(seen) | basket_parts(desk, opened) | {"unknown": None} | more


def waiting(seen: Look) -> dict[str, Any]:
    """Held baskets, sales still being checked in the background, the last sale, and who is on duty."""
    held = [(row, baskets.read(row.content)) for row in seen.held]
    return {
        "held": [
            {"id": row.id, "at": row.changed_at, "label": basket.label or _("未刷卡"), "count": len(basket.lines), "total_fen": basket.total_fen}
            for row, basket in held
        ],
        "stuck": [{"at": row.at, "label": row.who or row.receipt, "total_fen": row.total_fen} for row in seen.stuck],
        "last_sale": _last_sale(seen.last) if seen.last else None,
        "pharmacist": {"name": seen.pharmacist.name} if seen.pharmacist else None,
    }  # fmt: skip


def _last_sale(row: Any) -> dict[str, Any]:
    """The sale this station settled last, with the change that was given."""
    given = sum(tender["amount_fen"] for tender in row.tendered if tender["kind"] == "cash")
    change = max(0, given - (row.cash_fen or 0)) if given else 0
    return {"id": row.id, "receipt": row.receipt, "at": row.at, "total_fen": row.total_fen, "change_fen": change}


def basket_parts(desk: Desk, opened: baskets.Opened) -> dict[str, Any]:
    """The basket, its person and its split."""
    content = opened.content
    row = identify.get(desk, content.identification) if content.identification else None
    person = showing.person_part(desk, row, content.total_fen) if row else None
    groups = {line.rx_number or "": rx_title(line.rx_head) for line in content.lines}
    shown = {
        "id": str(opened.id), "version": opened.version, "lines": [line_part(line, content.buyer_shown) for line in _in_groups(content)], "total_fen": content.total_fen,
        "selected": content.selected, "off_fen": sum(line.off_fen for line in content.lines), "buyer": content.buyer_shown,
        "needs_buyer": bool(special.limited(content.lines)) and not (content.buyer or content.identification),
    }  # fmt: skip
    return {
        "basket": shown,
        "person": person,
        "split": showing.split_part(content.preview) if content.preview else None,
        "groups": groups if person or any(groups) else {},
    }


def rx_title(head: rules.RxHead | None) -> str:
    """Whose prescription it is, and who passed it."""
    if head is None:
        return ""
    day = f"{head.issued_on:%m-%d}"
    title = _("%(who)s %(day)s 开具 · 审方通过 %(reviewer)s", who=head.prescriber, day=day, reviewer=head.reviewer)
    return str(title)


def _in_groups(content: rules.Basket) -> list[rules.Line]:
    """Prescriptions first, own choice after; the order of scanning within."""
    return sorted(content.lines, key=lambda line: (line.rx is None, line.rx_number))


def line_part(line: rules.Line, buyer: str = "") -> dict[str, Any]:
    """One line as the basket shows it."""
    about = line.about
    today = clock.business_date()
    warned = about.expiry_warning_days
    days = parameters.here().days("near_expiry_days") if warned is None else warned
    near = line.expires_on is not None and line.expires_on <= today + timedelta(days=days)
    return {
        "line_no": line.line_no, "product_name": about.name, "spec": f"{about.trade} {about.spec}".strip() if about.trade != about.name else about.spec,
        "maker": about.maker, "class_label": class_label(about.insurance_class, about.selfpay_share, about.rx_class), "lot_no": line.lot_number,
        "expires_on": line.expires_on or "", "expiry": "past" if line.expires_on and line.expires_on < today else "near" if near else "",
        "codes_have": len(line.codes), "codes_need": line.codes_need, "unit_price": show_price(line.price),
        "unit_name": about.base_unit if line.split else about.pack_unit, "quantity": line.sale_units, "amount_fen": line.amount_fen, "split": line.split,
        "rx": about.rx_class == "RX", "group": line.rx_number or None, "note": _special_note(line, buyer),
        "list_price": show_price(line.list_price) if line.discount else "", "off_fen": line.off_fen, "reason": line.discount.reason if line.discount else "",
    }  # fmt: skip


def _special_note(line: rules.Line, buyer: str) -> dict[str, Any] | None:
    """What stands under a line of an ephedrine compound: who buys it is registered, and how many are sold."""
    if not special.limited([line]):
        return None
    said = parameters.here()
    text = _(
        "须查验并登记购药人身份证；没有处方，每人 %(days)s 天内最多 %(most)s 个最小包装。",
        days=said.days("ephedrine_days"),
        most=said.count("ephedrine_packs"),
    )
    if buyer:
        text = _("购药人已登记：%(who)s", who=buyer)
    return {"kind": "warn", "rule": _("含麻黄碱"), "text": text, "answers": None, "answered": True}


def class_label(insurance_class: str, share: str, rx_class: str) -> str:
    """甲 / 乙 10% / 丙, and what kind of drug it is."""
    word = {"A": _("甲类"), "B": _("乙"), "C": _("丙类")}.get(insurance_class, "")
    if insurance_class == "B" and share:
        word = f"{word} {float(share) * 100:g}%"
    kind = {
        "OTC_A": _("甲类非处方"),
        "OTC_B": _("非处方"),
        "RX": _("处方药"),
        "DEVICE": _("器械"),
        "HERB": _("饮片"),
    }.get(rx_class, "")
    return " · ".join(part for part in (word, kind) if part)


def _unknown(row: Any) -> dict[str, Any]:
    now = clock.now()
    sent = _("结算请求已送出：%(sums)s", sums=_sums(baskets.read(row.content)))
    steps = [{"kind": "ok", "at": row.asked_at, "text": sent}]
    if row.attempt == "recovering" or now > row.deadline_at:
        steps.append({"kind": "wait", "at": row.deadline_at, "text": _("中心没有及时回答")})
    if row.tries > 1:
        steps.append({"kind": "again", "at": now, "text": _("用同一报文号再问中心，第 %(n)s 次", n=row.tries)})
    return {
        "document": str(row.id),
        "receipt": row.receipt,
        "since_seconds": int((now - row.asked_at).total_seconds()),
        "surrender_seconds": int(parameters.here().minutes("surrender_after").total_seconds()),
        "given_up": row.given_up_at is not None,
        "steps": steps,
    }


def _sums(content: rules.Basket) -> str:
    """What was sent: who was to pay how much, as far as it was previewed."""
    if not content.preview:
        return f"{_('合计')} {show_fen(content.total_fen)}"
    split = showing.split_part(content.preview)
    parts = [
        (_("合计"), split["total"]),
        (_("统筹"), split["fund"] + split["other_funds"]),
        (_("账户"), split["account"] + split["mutual"]),
        (_("现金"), split["cash"]),
    ]
    return " · ".join(f"{word} {show_fen(amount_fen)}" for word, amount_fen in parts)


STREAM = """
select h.number, h.sent_number, h.sent_at, h.relay_state, n.state as news_state, n.pulled_at, (
    select jsonb_build_object('id', r.id, 'number', r.number, 'name', r.product ->> 'name', 'lots', r.lots, 'held', p.held_lots > 0 or r.codes <> '{}',
        'count', count(*) over ())
    from recall_place p join recall r on r.tenant_id = p.tenant_id and r.id = p.recall_id
    where p.tenant_id = h.tenant_id and p.facility_id = h.facility_id and p.acknowledged_at is null and r.state = 'open'
    order by r.level, r.issued_at limit 1) as recall
from stream_head h left join news_head n on n.tenant_id = h.tenant_id and n.facility_id = h.facility_id
where h.tenant_id = %(tenant)s and h.facility_id = %(facility)s
"""


def stream_state(row: Any) -> dict[str, Any]:
    """The stream's dot: complete, late, or stopped; with the number and how long ago it was acknowledged."""
    if row.relay_state != "running":
        return {
            "state": "off",
            "text": _("已停"),
            "detail": f"#{row.sent_number:,}",
            "title": _("数据流已停止，请联系维护人员"),
        }
    if row.news_state in ("rewound", "altered"):
        return {
            "state": "off",
            "text": _("消息已停"),
            "detail": f"#{row.sent_number:,}",
            "title": _("中心的下行消息与本机对不上，召回可能收不到，请联系维护人员"),
        }
    behind = row.number - row.sent_number
    ago = int((clock.now() - row.sent_at).total_seconds()) if row.sent_at else None
    if behind > 0:
        return {
            "state": "late",
            "text": _("待送 %(n)s", n=behind),
            "detail": f"#{row.sent_number:,}",
            "title": _("还有事实没有送达中心，会自动补送"),
        }
    detail = f"#{row.number:,}" + (" · " + _("%(n)s 秒前", n=ago) if ago is not None and ago < 120 else "")
    title = _("机构数据流：已全部送达中心")
    if row.pulled_at:
        title = _("%(sent)s；中心消息 %(at)s 收取", sent=title, at=f"{clock.local(row.pulled_at):%H:%M:%S}")
    return {"state": "ok", "text": _("完整"), "detail": detail, "title": title}


def surroundings() -> dict[str, Any]:
    """What every page of the facility wing shows around itself: stream, shift, and a recall that nobody here has seen yet."""
    who = signin.me_or_none()
    if who is None or who.facility_id is None:
        return {}
    desk = signin.here()
    shift = shifts.find_current(desk) if who.has("clerk", "pharmacist", "owner") else None
    with transaction(settings=desk.settings) as hot:
        row = hot.run_last(STREAM, desk.keys)[0]
    known = {"stream": stream_state(row), "shift": {"opened_at": shift.opened_at} if shift else None}
    return {**known, "recall_alert": row.recall} if row.recall and who.has("clerk", "pharmacist", "owner") else known
