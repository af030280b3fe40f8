"""The open basket of a station: each scan and key is one small act on one row, so a crashed browser loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from psycopg import errors as pg
from sqlalchemy.exc import IntegrityError

from app.core import clock
from app.core.errors import NotFound, WrongInput, words
from app.facility.catalog import queries as catalog
from app.facility.counter import rules
from app.facility.counter.errors import CodeNotOnShelf, CodeUnknown, NotSellable, StaleBasket, UnknownEntry
from app.facility.db import action, db, run
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, messages
from app.facility.insurance.errors import RefusedByCenter
from app.facility.stock import actions as stock_actions
from app.facility.stock import queries as stock
from app.facility.till import prescriptions
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.tenancy import Desk

CODE_STATES = {
    "SOLD": words("已经售出"),
    "RESERVED": words("正在另一台结算"),
    "FROZEN": words("已冻结"),
    "RETURNED_QUARANTINE": words("已退回，在待处理区"),
    "RETURNED_SUPPLIER": words("已退回供应商"),
    "DESTROYED": words("已销毁"),
    "IN_TRANSIT": words("正在调拨途中"),
    "LOST": words("已盘亏或在途丢失"),
}


class Opened(msgspec.Struct):
    """A basket with its place and version."""

    id: UUID
    version: int
    state: str
    content: rules.Basket


GET = "select id, version, state, content::text as content from basket where id = :id and facility_id = :facility"
SAVE = "update basket set content = cast(:content as jsonb), version = version + 1, changed_at = :at where id = :id returning version"


def find_open(desk: Desk) -> Opened | None:
    """The open basket of this station, or None."""
    row = run(
        "select id, version, state, content::text as content from basket where facility_id = :facility and station = :station and state = 'open'",
        facility=desk.facility_id,
        station=desk.station,
    ).one_or_none()
    return opened(row) if row else None


def get_basket(desk: Desk, basket_id: UUID) -> Opened:
    """One basket of this facility. Raises NotFound."""
    row = run(GET, id=basket_id, facility=desk.facility_id).one_or_none()
    if row is None:
        raise NotFound
    return opened(row)


@action
def enter(desk: Desk, basket_id: UUID, text: str, kind: str, version: int | None = None) -> list[catalog.ProductCard]:
    """Take one scan or one typed entry into the basket: a barcode, a trace code, or a product's name.

    Returns products to choose from when a typed text fits several, else an empty list: then the basket has it. The basket
    is made on its first entry. Raises UnknownEntry, CodeUnknown, CodeNotOnShelf, NeedsPrescription, NotSellable …
    """
    plain = text.strip()
    if not plain or len(plain) > 120:
        raise UnknownEntry(text=plain[:40])
    if plain.startswith("#") and plain.isascii() and plain[1:].isdigit():  # A choice made from the list.
        card = catalog.get_product(int(plain[1:]))
    elif (code := stock.find_code(desk.facility_id, plain)) is not None:
        _enter_code(desk, basket_id, code, version)
        return []
    else:
        found = _products(plain, kind)
        if len(found) > 1:
            return found
        card = found[0]
    edit(desk, basket_id, version, lambda basket: _add(desk, basket, card))
    return []


def _products(plain: str, kind: str) -> list[catalog.ProductCard]:
    if exact := catalog.product_by_barcode(plain):
        return [exact]
    if len(plain) == 20 and plain.isdigit():
        raise CodeUnknown(tail=plain[-6:])
    found = catalog.find_products(plain) if kind != "scan" else []
    if not found:
        raise UnknownEntry(text=plain[:40])
    return found


def _enter_code(desk: Desk, basket_id: UUID, code: Any, version: int | None) -> None:
    why = CODE_STATES.get(code.state)
    if why is None and (code.hold or code.expires_on < clock.business_date()):
        why = words("所属批号已冻结或召回") if code.hold else words("已过效期")
    if why:
        raise CodeNotOnShelf(tail=code.code[-6:], why=why)
    card = catalog.get_product(code.product_id)
    lot = rules.Lot(code.lot_id, code.lot_number, code.expires_on, coded=True)
    split = code.state == "SPLIT_OPEN"

    def take(basket: rules.Basket) -> None:
        about = about_of(card)
        if split:
            _take_split(basket, about, lot, code)
        else:
            rules.add_pack(basket, about, lot, clock.now(), code.code)

    edit(desk, basket_id, version, take)


def _take_split(basket: rules.Basket, about: rules.About, lot: rules.Lot, code: Any) -> None:
    """An opened pack was scanned: one more unit of it."""
    for line in basket.lines:
        if line.split and any(code.code == known.code for known in line.codes):
            rules.set_quantity(line, line.quantity + 1)
            basket.selected = line.line_no
            return
    line = rules.add_pack(basket, about, None, clock.now())
    rules.make_split(line, lot, [rules.Code(code.code, 1)])


def _add(desk: Desk, basket: rules.Basket, card: catalog.ProductCard) -> None:
    lots = [lot for lot in stock.sellable_lots(desk.facility_id, card.id, split=False) if lot.free >= card.pack_size]
    if not lots:
        raise NotSellable(name=card.name, why="没有可卖的库存（缺货、过期或冻结）。请先入库，或换同类药品")
    line = rules.add_pack(basket, about_of(card), None, clock.now())
    rules.show_lot(line, _lot(lots[0], card))


def class_of(card: catalog.ProductCard) -> str:
    """The class a label may promise: without a national code the center pays nothing, whatever the catalog file said."""
    return card.insurance_class or "" if card.national_code or not card.insurance_class else "C"


def about_of(card: catalog.ProductCard) -> rules.About:
    """The product as the basket keeps it. Raises NotSellable for a stopped product."""
    if not card.is_active:
        raise NotSellable(name=card.name, why="已在目录里停用，不能销售")
    return rules.About(
        product_id=card.id, code=card.code, national=card.national_code or "", barcode=card.barcode or "", name=card.generic_name, trade=card.trade_name,
        spec=card.spec, maker=card.maker, approval=card.approval_number, pack_size=card.pack_size, pack_unit=card.pack_unit, base_unit=card.base_unit,
        rx_class=card.rx_class, insurance_class=class_of(card), selfpay_share=str(card.selfpay_share or ""), trace_required=card.trace_required,
        split_allowed=card.split_allowed, pack_price=f"{card.pack_price:f}" if card.pack_price is not None else "",
        split_price=f"{card.split_price:f}" if card.split_price is not None else "", expiry_warning_days=card.expiry_warning_days, special_class=card.special_class or "",
    )  # fmt: skip


def _lot(row: Any, card: catalog.ProductCard | rules.About) -> rules.Lot:
    coded = bool(
        card.trace_required
        and run(
            "select exists (select from trace_code where lot_id = :lot and state = 'IN_STOCK') as coded", lot=row.id
        ).scalar_one()
    )
    return rules.Lot(row.id, row.lot_number, row.expires_on, coded)


@action
def change_line(
    desk: Desk,
    basket_id: UUID,
    line_no: int,
    *,
    quantity: int | None = None,
    delete: bool = False,
    lot_id: int | None = None,
    version: int | None = None,
) -> None:
    """Change a line: its quantity in sale units, its lot (F3), or take it out (Del)."""

    def change(basket: rules.Basket) -> None:
        line = _line(basket, line_no)
        if delete:
            basket.lines = [
                kept for kept in basket.lines if kept.line_no != line_no and not (line.rx and kept.rx == line.rx)
            ]
            basket.selected = basket.lines[-1].line_no if basket.lines else 0
            return
        if quantity is not None:
            if line.rx:
                raise NotSellable(
                    name=line.about.name, why="的数量由处方决定，不能在这里改。请删掉整张处方后重取，或请医师改方"
                )
            rules.set_quantity(line, quantity)
        if lot_id is not None:
            _pin_lot(desk, line, lot_id)
        basket.selected = line_no

    edit(desk, basket_id, version, change)


def _pin_lot(desk: Desk, line: rules.Line, lot_id: int) -> None:
    lots = {row.id: row for row in stock.sellable_lots(desk.facility_id, line.about.product_id, split=line.split)}
    if lot_id not in lots:
        raise NotSellable(name=line.about.name, why="的这个批号不能销售（已卖完、过期或冻结）")
    rules.change_lot(line, _lot(lots[lot_id], line.about))


def split_line(desk: Desk, basket_id: UUID, line_no: int, units: int = 1, version: int | None = None) -> None:
    """Sell so many single units instead of packs (拆零): opens a pack when none is open.

    Raises SplitNotAllowed, NothingToSplit, TooMany.
    """
    line = _line(get_basket(desk, basket_id).content, line_no)
    if line.rx:
        raise NotSellable(name=line.about.name, why="按处方整盒发药，不能拆零")
    rules.may_sell(line.about, units, split=True)  # Before a pack is opened for nothing.
    product, code = line.about.product_id, line.codes[0].code if line.codes else None
    open_lots = stock.sellable_lots(desk.facility_id, product, split=True)
    if not open_lots or code:
        stock_actions.open_pack(desk, product, code)
    _make_split(desk, basket_id, line_no, units, version)


@action
def _make_split(desk: Desk, basket_id: UUID, line_no: int, units: int, version: int | None) -> None:
    def change(basket: rules.Basket) -> None:
        line = _line(basket, line_no)
        lots = stock.sellable_lots(desk.facility_id, line.about.product_id, split=True)
        if not lots:
            raise NotSellable(name=line.about.name, why="没有拆开的包装了，请再按一次拆零")
        lot = _lot(lots[0], line.about)
        others = {code.code: other for other in basket.lines if other is not line for code in other.codes}
        open_codes = run(
            "select code from trace_code where lot_id = :lot and state = 'SPLIT_OPEN' and remaining > reserved order by (document_id is null), code limit 200",
            lot=lot.lot_id,
        ).scalars().all()  # fmt: skip
        codes = [code for code in open_codes if code not in others][:1]
        if open_codes and not codes:  # The only opened pack is on another line already: so many more units of it there.
            more = others[open_codes[0]]
            rules.set_quantity(more, more.quantity + units)
            basket.lines.remove(line)
            basket.selected = more.line_no
            return
        rules.make_split(
            line,
            rules.Lot(lot.lot_id, lot.lot_number, lot.expires_on, coded=bool(codes)),
            [rules.Code(code, 1) for code in codes],
        )
        rules.set_quantity(line, units)

    edit(desk, basket_id, version, change)


@action
def make_whole(desk: Desk, basket_id: UUID, line_no: int, packs: int = 1) -> None:
    """Sell a line in so many whole packs again; the opened pack stays open on the shelf."""

    def change(basket: rules.Basket) -> None:
        line = _line(basket, line_no)
        basket.lines = [kept for kept in basket.lines if kept.line_no != line_no]
        _add(desk, basket, catalog.get_product(line.about.product_id))
        whole = _line(basket, basket.selected)
        rules.set_quantity(whole, whole.sale_units + packs - 1)

    edit(desk, basket_id, None, change)


@action
def add_prescription(desk: Desk, basket_id: UUID, prescription_id: UUID, version: int | None = None) -> None:
    """Put a passed prescription's drugs into the basket (取处方)."""
    head, wanted = prescriptions.get_passed(desk.facility_id, prescription_id)
    cards = catalog.get_products(row.product_id for row in wanted)
    written = rules.RxHead(head.prescriber, head.issued_on, head.reviewer_name or "", head.outflow_number or "")

    def take(basket: rules.Basket) -> None:
        if any(line.rx == str(prescription_id) for line in basket.lines):
            return
        found = []
        for row in wanted:
            card = cards[row.product_id]
            lots = stock.sellable_lots(desk.facility_id, card.id, split=False)
            found.append((about_of(card), _lot(lots[0], card) if lots else None, int(row.quantity), row.outflow_line))
        rules.add_prescription(basket, str(prescription_id), head.number, written, found, clock.now())

    edit(desk, basket_id, version, take)


@action
def drop(desk: Desk, basket_id: UUID) -> None:
    """Throw an open or held basket away; nothing was reserved by it."""
    run(
        "update basket set state = 'closed' where id = :id and facility_id = :facility and state in ('open', 'held')",
        id=basket_id,
        facility=desk.facility_id,
    )


@action
def set_person(desk: Desk, basket_id: UUID, identification_id: UUID | None) -> None:
    """Put an identified person into the basket, or take them out (None)."""

    def change(basket: rules.Basket) -> None:
        basket.identification = str(identification_id) if identification_id else None

    edit(desk, basket_id, None, change)


def preview(desk: Desk, basket_id: UUID) -> messages.Split:
    """Ask the center who would pay what (2101); nothing is reserved or charged. Keeps the answer with the basket.

    Raises EmptyBasket, RefusedByCenter, MatchNotConfirmed, Outage.
    """
    opened = get_basket(desk, basket_id)
    basket = opened.content
    if not basket.lines or not basket.identification:
        raise WrongInput(what="预结算", why="先扫药、再刷卡（F2）")
    loaded = identify.get(desk, basket.identification)
    assert loaded is not None
    person = identify.person_read(desk, loaded)
    extra: dict[str, Any] = {"operator_terminal": desk.terminal, "credential": person.read_how, "buyer": loaded.buyer}
    if agent := identify.agent_of(desk, loaded):
        extra["agent"] = agent
    from app.facility.counter.confirming import money_of
    from app.facility.counter.drafts import wire_line

    content = messages.purchase(person, [wire_line(line) for line in basket.lines], clock.now(), extra, codes=False)
    answer = desks.ask_once(desk, "2101", content, insuplc_admdvs=person.admdvs, sign_no=loaded.sign_no)
    if not answer.accepted:
        raise RefusedByCenter(why=answer.message)
    split = messages.read_split(answer.output)
    assert split.total_fen == amounts.fen_of(content["druginfo"]["medfee_sumamt"]), "the center added up differently"
    if split.identity:
        identify.note_score(desk, basket.identification, split.identity)
    _keep_preview(desk, basket_id, opened.version, money_of(split))
    return split


@action
def _keep_preview(desk: Desk, basket_id: UUID, version: int, shown: dict[str, Any]) -> None:
    def change(basket: rules.Basket) -> None:
        basket.preview = shown

    edit(desk, basket_id, version, change, keeps_preview=True)


def edit(
    desk: Desk,
    basket_id: UUID,
    version: int | None,
    change: Callable[[rules.Basket], object],
    *,
    keeps_preview: bool = False,
) -> None:
    """Lock the basket, change it, save it. A preview holds only for the basket it was made of."""
    row = run(f"{GET} for update", id=basket_id, facility=desk.facility_id).one_or_none()
    if row is None:
        row = _begin(desk, basket_id)
    if row.state != "open" or (version is not None and version != row.version):
        raise StaleBasket
    basket = read(row.content)
    change(basket)
    if not keeps_preview:
        basket.preview = None
    run(SAVE, id=basket_id, content=msgspec.json.encode(basket).decode(), at=clock.now())


def _begin(desk: Desk, basket_id: UUID) -> Any:
    try:
        with db.session.begin_nested():
            return run(
                """
                insert into basket (id, facility_id, station, staff_id, content, created_at, changed_at)
                values (:id, :facility, :station, :staff, '{}', :at, :at) returning id, version, state, content::text as content
                """,
                id=basket_id, facility=desk.facility_id, station=desk.station, staff=desk.staff_id, at=clock.now(),
            ).one()  # fmt: skip
    except IntegrityError as other:
        if isinstance(other.orig, pg.UniqueViolation):
            raise StaleBasket from other  # This station has another basket open: the page is older than it.
        raise


def _line(basket: rules.Basket, line_no: int) -> rules.Line:
    line = basket.line(line_no)
    if line is None:
        raise StaleBasket
    return line


def opened(row: Any) -> Opened:
    """A basket from its row."""
    return Opened(row.id, row.version, row.state, read(row.content))


def read(content: str) -> rules.Basket:
    """A basket's content from its stored text."""
    return msgspec.json.decode(content, type=rules.Basket)
