"""A pharmacy in which everything has happened once, so that there is something to protect, and something to find."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx

from app.center.supervision import notices as center_notices
from app.center.supervision import recalls as center_recalls
from app.core import clock, tenancy
from app.core.signin import Ticket
from app.facility.catalog import imports
from app.facility.clinic.terms import demo as terms_demo
from app.facility.clinic.terms.actions import note_use
from app.facility.counter import baskets, discounts, held_baskets, refunds, settling, specials
from app.facility.counter.refund_plans import Back
from app.facility.counter.registers import actions as registers
from app.facility.db import transaction
from app.facility.organizations import actions as organizations
from app.facility.stock.counts import actions as counts
from app.facility.stock.counts import entering as counting
from app.facility.stock.counts.rules import Counted
from app.facility.stock.purchasing import deliveries
from app.facility.stock.recalls import actions as recalls
from app.facility.stock.recalls import rules as recall_rules
from app.facility.stock.rules import ReceiptLine
from app.facility.stock.shelf import labels, prices
from app.facility.stock.shelf.actions import Place, place_products
from app.facility.stock.shelf.price_rules import NewPrice
from app.facility.till import prescriptions, receipts, shifts
from app.facility.till.invoices import actions as invoices
from central_sync.relay import Relay, make_engine
from central_sync.transports.http import HttpTransport
from tests.center.world import some_certno
from tests.factories.bridge import a_notice, pull, tell
from tests.factories.city import identify_at, make_covered_goods, make_insured, make_insured_pharmacy, sell_insured
from tests.factories.people import add_person
from tests.factories.purchase import fill_purchasing
from tests.factories.shop import Goods, desk_of, fill_basket, make_code, make_goods, one, open_shift, sell
from tests.factories.supply import fill_supply, house_supplier
from tests.guards.filled_clinic import fill_clinic
from tests.guards.filled_keeping import fill_keeping
from tests.guards.filled_transfers import fill_transfers
from tests.guards.filled_visits import fill_visit

FILE = "编码,药品名称,规格,包装单位,零售价\nZ1,感冒颗粒,10g×9袋,盒,15.00\nZ2,板蓝根颗粒,10g×20袋,袋,-3\n"


@dataclass
class Filled:
    """A pharmacy with a history, and what its addresses are made of."""

    pharmacy: object
    person: object
    goods: Goods
    ids: dict = field(default_factory=dict)  # The name of an address's parameter -> a real value.
    marks: list = field(default_factory=list)  # Texts that nobody else may ever read.


def fill(facility_app, center_app, name="一号药店", district="330212") -> Filled:
    """Let everything happen once: receipts, sales, refunds, a prescription, a held basket, an import, a shift."""
    pharmacy = make_insured_pharmacy(facility_app, center_app, name=name, district=district)
    person = make_insured(center_app)
    audit = add_person(facility_app, pharmacy, "audit_admin", name="查某某")
    doctor = add_person(facility_app, pharmacy, "doctor", name="江某某", code="D330212000077")
    pharmacy.numbers.update({audit: "009", doctor: "010"})
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        goods = make_covered_goods(center_app, pharmacy, 20)
        made = Filled(pharmacy, person, goods)
        made.ids |= {"auditor": audit, "doctor": doctor}
        _shelf(made)
        _counter(made)
        _papers(made)
        _stock_papers(made)
        _prices_and_labels(made)
        _supply(made)
        _registers(made)
        _counts(made)
        _purchasing(made)
        _recall(made)
        fill_clinic(made)
    _recall_of_center(center_app, made)
    fill_visit(center_app, made.person)
    _news(facility_app, center_app, made)
    fill_transfers(facility_app, made)
    _terms(facility_app, made)
    return made


def _terms(facility_app, made) -> None:
    """The owner of the pharmacy signed a diagnosis."""
    desk = desk_of(made.pharmacy, made.pharmacy.owner)
    with facility_app.app_context():
        terms_demo.load()
        with transaction(settings=desk.settings) as hot:
            note_use(hot, desk, ["J06.900"])


def _shelf(made) -> None:
    pharmacy, lot = made.pharmacy, f"M{uuid4().hex[:8].upper()}"
    desk, code, receipt = desk_of(pharmacy, pharmacy.owner), make_code(), uuid4()
    line = ReceiptLine(
        made.goods.product_id, lot, clock.business_date() + timedelta(days=300), 1, "SALEABLE", codes=(code,)
    )
    deliveries.receive_purchase(desk, receipt, house_supplier(pharmacy), [line])
    made.ids |= {"receipt_id": receipt, "code": code, "product_id": made.goods.product_id, "lot": lot}
    made.marks += [lot, code, made.goods.name]


def _counter(made) -> None:
    pharmacy, goods = made.pharmacy, made.goods
    terminal = organizations.add_terminal(pharmacy.facility_id, "07")
    desk = desk_of(pharmacy)
    open_shift(desk)
    shifts.move_drawer(desk, uuid4(), 500, "换零钱")
    insured = sell_insured(desk, made.person, goods.codes[0], goods.codes[1])
    cash = sell(desk, goods.codes[2], goods.codes[3])
    hotline = f"0574-{uuid4().int % 10**8:08d}"
    organizations.set_parameter("hotline", hotline, None, pharmacy.owner)
    receipts.note_print(desk, cash.sale_id, "80")
    refund = uuid4()
    refunds.refund_sale(desk, refund, cash.sale_id, [Back(1, 1, "quarantine")], "quality")
    held, _ = fill_basket(desk, goods.codes[4])
    identify_at(desk, held, made.person)
    held_baskets.hold(desk, held)
    opened, version = fill_basket(desk, goods.codes[5])
    made.ids |= {
        "sale_id": insured.sale_id, "document": insured.sale_id, "refund_id": refund, "basket_id": opened, "held_id": held, "version": version,
        "terminal_id": terminal, "facility_id": pharmacy.facility_id, "staff_id": pharmacy.clerk, "line_no": 1, "stream": pharmacy.code, "product": _own_code(made),
        "cash_id": cash.sale_id,
    }  # fmt: skip
    made.marks += [insured.receipt, cash.receipt, hotline]


def _papers(made) -> None:
    pharmacy, desk = made.pharmacy, desk_of(made.pharmacy)
    drug = make_goods(pharmacy, 5, rx_class="RX")
    for state in ("waiting", "passed"):
        paper, number = uuid4(), f"RX{uuid4().hex[:10]}"
        prescriptions.enter_prescription(
            desk,
            paper,
            prescriptions.Paper(number, "钱多多", "郑医师", "第一医院", clock.business_date()),
            [prescriptions.Wanted(drug.product_id, 1)],
        )
        if state == "passed":
            prescriptions.review_prescription(desk_of(pharmacy, pharmacy.pharmacist), paper, "赵*师", passed=True)
        made.ids["prescription_id" if state == "waiting" else "passed_id"] = paper
        made.marks.append(number)
    batch = uuid4()
    imports.upload_file(batch, f"目录{batch.hex[:8]}.csv", FILE.encode(), pharmacy.owner)
    made.ids |= {"batch_id": batch, "number": 2}
    checked = uuid4()
    imports.upload_file(checked, "已核对.csv", FILE.encode(), pharmacy.owner)
    chosen = dict(zip("01234", ("code", "generic_name", "spec", "pack_unit", "pack_price"), strict=True))
    imports.choose_columns(checked, chosen, pharmacy.owner, "OTC_B")
    while not imports.check_next(checked):
        pass
    moment = int(clock.now().timestamp())
    organizations.end_session(Ticket(pharmacy.tenant_id, pharmacy.pharmacist, uuid4().hex, 1, moment, moment))
    made.ids["role_id"] = one(
        pharmacy, "select id from staff_role where tenant_id = %(t)s and staff_id = %(s)s", s=pharmacy.clerk
    ).id
    made.marks.append(batch.hex[:8])


def _stock_papers(made) -> None:
    """What keeping knows, and a shelf for its goods."""
    goods = fill_keeping(made)
    place_products(desk_of(made.pharmacy), [Place(goods.product_id, "A01", None, None)])


def _supply(made) -> None:
    ids, marks = fill_supply(made.pharmacy, made.goods.product_id)
    made.ids |= ids
    made.marks += marks


def _recall_of_center(center_app, made) -> None:
    """Two officers let a recall go out; it has the number of the facility's own, so that one address serves both wings."""
    draft = center_recalls.Draft(3, "无此药", "抽检不合格", "停售", national=f"XA{uuid4().hex[:12]}")
    with center_app.app_context(), tenancy.acting_as(district=made.pharmacy.district):
        center_recalls.ask_recall(made.ids["recall_id"], draft, _officer(made, 1))
        center_recalls.approve_recall(made.ids["recall_id"], _officer(made, 2))
        center_notices.publish_notice(uuid4(), "info", "系统维护", "今晚两点维护", _officer(made, 1))


def _officer(made, number) -> SimpleNamespace:
    return SimpleNamespace(staff_id=number, name="周经办", district=made.pharmacy.district, district_name="鄞州区")


def _news(facility_app, center_app, made) -> None:
    title = f"通知{uuid4().hex[:8]}"
    tell(center_app, [made.pharmacy.code], "notice.published", a_notice(title=title))
    pull(facility_app, center_app, made.pharmacy)


def _registers(made) -> None:
    """A registered buyer, a discount, a checked split, an invoice."""
    pharmacy, desk = made.pharmacy, desk_of(made.pharmacy, made.pharmacy.owner)
    open_shift(desk)
    cold, loose = make_goods(pharmacy, 3, special_class="EPHEDRINE", expires_in=60), make_goods(pharmacy, 2)
    basket, _ = fill_basket(desk, cold.codes[0], loose.codes[0])
    specials.name_buyer(desk, basket, "孙小明", some_certno())
    discounts.give_discount(desk, basket, 1, "percent", Decimal(5), "老顾客", pharmacy.pharmacist)
    baskets.split_line(desk, basket, 2)
    settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version)
    registers.check_split(desk_of(pharmacy), basket, 2)
    title, number = f"阳光公司{uuid4().hex[:8]}", f"{uuid4().int % 10**20:020d}"
    invoices.ask_invoice(desk, basket, invoices.Buyer("firm", title, "91330200MA2XXXXX5K"))
    invoices.note_step(desk, basket, "issued", number=number)
    made.ids |= {"book": "ephedrine", "invoiced_id": basket}
    made.marks += [title, number, cold.name]


def _counts(made) -> None:
    """A count that goes on, with one pack missing and one scanned; another is closed and waits."""
    pharmacy, desk = made.pharmacy, desk_of(made.pharmacy)
    for state in ("count_id", "closed_count_id"):
        goods, count, lot = make_goods(pharmacy, 2), uuid4(), f"F{uuid4().hex[:8].upper()}"
        number = counts.open_count(desk, count, counts.Scope("product", products=(goods.product_id,)))
        counting.enter_count(desk, uuid4(), count, 1, Counted(goods.pack_size, "货架", goods.codes[:1]))
        counting.find_goods(desk, count, goods.product_id, lot, clock.business_date() + timedelta(days=90), "SALEABLE")
        made.ids[state] = count
        made.marks += [number, lot]
    counts.close_count(desk, made.ids["closed_count_id"])


def _purchasing(made) -> None:
    ids, marks = fill_purchasing(made.pharmacy, made.goods.product_id, made.ids["supplier_id"])
    made.ids |= ids
    made.marks += marks


def _prices_and_labels(made) -> None:
    """A changed price and the label that was printed with it."""
    pharmacy, change, sheet = made.pharmacy, uuid4(), uuid4()
    desk, reason = desk_of(pharmacy, pharmacy.owner), f"涨价{uuid4().hex[:8]}"
    product = make_goods(pharmacy, 1).product_id
    number = prices.change_prices(desk, change, [NewPrice(product, Decimal("19.90"))], reason)
    labels.print_labels(desk, sheet, "shelf", "60x40", [labels.Label(product)])
    made.ids |= {"change_id": change, "print_id": sheet}
    made.marks += [number, reason]


def _recall(made) -> None:
    """A recall of goods that were sold: one buyer called, the rest reported."""
    pharmacy, desk = made.pharmacy, desk_of(made.pharmacy, made.pharmacy.pharmacist)
    goods, recall = make_goods(pharmacy, 2), uuid4()
    open_shift(desk)
    sold = sell(desk, goods.codes[0])
    wanted = recall_rules.Wanted(goods.product_id, (goods.lot_number,), 1, f"厂家通知{uuid4().hex[:8]}")
    number = recalls.issue_recall(desk, recall, wanted)
    recalls.note_call(desk, recall, sold.sale_id, "coming")
    recalls.report_recall(desk, recall, "已下架")
    made.ids["recall_id"] = recall
    made.marks += [number, wanted.reason]


def _own_code(made) -> str:
    return one(
        made.pharmacy, "select code from product where tenant_id = %(t)s and id = %(p)s", p=made.goods.product_id
    ).code


def deliver(center_app, database_urls, *pharmacies) -> None:
    """Carry the pharmacies' facts over the bridge, through the relay and the center's own door."""
    secrets = {pharmacy.code: pharmacy.center_secret.encode() for pharmacy in pharmacies}
    client = httpx.Client(
        transport=httpx.WSGITransport(app=center_app, script_name="/center", raise_app_exceptions=False)
    )
    transport = HttpTransport("http://center", secrets.get, client=client)
    relay = Relay(make_engine(database_urls["facility"]["relay"]), transport)
    for pharmacy in pharmacies:
        relay._work(pharmacy.code)
    relay._pool.shutdown()
    relay.engine.dispose()
    transport.close()


def address(app, rule, ids) -> str | None:
    """The address of a rule with real ids; None when one of them is not known."""
    if not rule.arguments <= ids.keys():
        return None
    values = {name: UUID(str(ids[name])) if name in _uuids(rule) else ids[name] for name in rule.arguments}
    return app.url_map.bind("localhost").build(
        rule.endpoint, values, method=sorted(rule.methods - {"HEAD", "OPTIONS"})[0]
    )


def _uuids(rule) -> set:
    return {name for name, converter in rule._converters.items() if type(converter).__name__ == "UUIDConverter"}
