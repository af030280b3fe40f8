"""Clerks do whatever comes to their minds, several at once, and after every step the books agree to the last tablet.

A state machine: Hypothesis draws who does what to which pack; the acts run in threads against the real database, refusals
are answers like others. What must hold is asked of the database itself, never of a model that could share our mistakes.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from app.core import clock, tenancy
from app.core.errors import Refusal
from app.facility.counter import baskets, refunds
from app.facility.counter.refund_plans import Back
from app.facility.db import hot_action, transaction
from app.facility.stock import actions as stock
from app.facility.stock import ledger, rulebook
from app.facility.stock.counts import actions as counts
from app.facility.stock.counts import approving, entering
from app.facility.stock.counts.actions import Reason, Scope
from app.facility.stock.counts.rules import Counted
from app.facility.stock.purchasing import deliveries
from app.facility.stock.recalls import actions as recalls
from app.facility.stock.recalls.rules import Wanted
from app.facility.stock.rules import ReceiptLine
from app.facility.stock.transfers import actions as transfers
from app.facility.stock.transfers.rules import Arrived, Sent
from tests.factories.branches import make_branch
from tests.factories.city import make_insured_pharmacy
from tests.factories.people import add_person
from tests.factories.shop import desk_of, make_code, make_product, open_shift, sell
from tests.factories.supply import approve_products, make_supplier

STEPS = int(os.environ.get("STEPS", "25"))
RUNS = int(os.environ.get("RUNS", "6"))
NUMBERS = st.integers(0, 10**6)

# Each answers rows only where something is wrong.
WRONG = {
    "a balance differs from the sum of its movements": """
        select b.lot_id, b.zone from lot_balance b where b.tenant_id = %(t)s and b.on_hand <> coalesce((
            select sum(quantity) from stock_movement m where m.tenant_id = b.tenant_id and m.lot_id = b.lot_id and m.zone = b.zone), 0)""",
    "something is reserved though nobody is selling": """
        select lot_id from lot_balance where tenant_id = %(t)s and reserved <> 0
        union all select lot_id from trace_code where tenant_id = %(t)s and (reserved <> 0 or state = 'RESERVED')""",
    # Without a code lie only single units that came back while the rest of their pack lies elsewhere, and what a count found
    # (a counter may tell of a box that was sent away while they wrote).
    "the codes of a place do not hold what lies there": """
        select b.lot_id, b.zone, b.on_hand, c.held from lot_balance b cross join lateral (
            select coalesce(sum(t.remaining), 0) as held from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
                and t.facility_id = b.facility_id and t.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'IN_TRANSIT')) c
        where b.tenant_id = %(t)s and (c.held > b.on_hand or (c.held < b.on_hand and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'TRANSIT')
            and not exists (select from stock_movement m where m.tenant_id = b.tenant_id and m.lot_id = b.lot_id and m.kind = 'CI')))""",
    "a code's state does not fit its place": """
        select code, state, zone from trace_code where tenant_id = %(t)s and case state
            when 'IN_STOCK' then zone not in ('SALEABLE', 'COLD', 'CONTROLLED') when 'SPLIT_OPEN' then zone <> 'SPLIT'
            when 'RETURNED_QUARANTINE' then zone <> 'QUARANTINE' when 'IN_TRANSIT' then zone <> 'TRANSIT'
            when 'FROZEN' then zone not in ('QUARANTINE', 'REJECT', 'RETURN_OUT', 'RECEIVING') else false end""",
    "a code lies where its lot is not": """
        select t.code from trace_code t join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
        where t.tenant_id = %(t)s and (t.facility_id <> l.facility_id or t.product_id <> l.product_id)""",
    "more came back than was sold": """
        select n.sale_id, n.line_no from sale_line n join refund_line r on r.tenant_id = n.tenant_id and r.sale_id = n.sale_id and r.line_no = n.line_no
        join refund f on f.tenant_id = r.tenant_id and f.id = r.refund_id and f.state = 'refunded'
        where n.tenant_id = %(t)s group by n.sale_id, n.line_no, n.quantity having sum(r.quantity) > n.quantity""",
    "more units left a pack than it holds": """
        select e.code from trace_event e join trace_code t on t.tenant_id = e.tenant_id and t.code = e.code
        join product p on p.tenant_id = t.tenant_id and p.id = t.product_id where e.tenant_id = %(t)s and e.kind in ('SA', 'SR')
        group by e.code, p.pack_size having sum(case e.kind when 'SA' then e.quantity else -e.quantity end) not between 0 and p.pack_size""",
    "what was sent on its way is neither there nor here nor accounted for": """
        select document_id from stock_movement where tenant_id = %(t)s and kind in ('TO', 'TI')
        group by document_id having sum(quantity) <> 0""",
    "what lies in transit is not what the transfers say is on its way": """
        select b.lot_id, b.on_hand, n.open from lot_balance b cross join lateral (
            select coalesce(sum(n.quantity - n.received - n.found - n.back - n.lost), 0) as open from transfer_line n
            where n.tenant_id = b.tenant_id and n.from_lot_id = b.lot_id) n
        where b.tenant_id = %(t)s and b.zone = 'TRANSIT' and b.on_hand <> n.open""",
    "a stream has a hole": """
        select h.facility_id from stream_head h left join outbox o on o.tenant_id = h.tenant_id and o.facility_id = h.facility_id
        where h.tenant_id = %(t)s group by h.facility_id, h.number having count(o.number) <> h.number or coalesce(max(o.number), 0) <> h.number""",
    "the ledger and the stream tell different stories": """
        select p.id from product p
        join lateral (select coalesce(sum(quantity), 0) as moved from stock_movement m where m.tenant_id = p.tenant_id and m.product_id = p.id) m on true
        join lateral (
            select coalesce(sum(case when o.kind in ('stock.received') or (o.kind = 'stock.moved' and l ->> 'from_zone' is null) or (o.kind = 'sale.refunded' and l ->> 'goods' <> 'kept')
                    then (l ->> 'quantity')::bigint
                when o.kind = 'sale.sold' or (o.kind = 'stock.moved' and l ->> 'to_zone' is null) then -(l ->> 'quantity')::bigint else 0 end), 0) as told
            from outbox o cross join lateral jsonb_array_elements(convert_from(o.body, 'UTF8')::jsonb -> 'lines') l
            where o.tenant_id = p.tenant_id and o.kind in ('stock.received', 'stock.moved', 'sale.sold', 'sale.refunded') and l -> 'product' ->> 'code' = p.code) o on true
        where p.tenant_id = %(t)s and m.moved <> o.told""",
}  # fmt: skip


ON_THE_WAY = """
select n.transfer_id, n.line_no, n.from_zone, t.state, t.from_facility_id, t.to_facility_id, (
    select array_agg(c.code order by c.code) from transfer_code c
    where c.tenant_id = n.tenant_id and c.transfer_id = n.transfer_id and c.line_no = n.line_no and c.state = 'sent') as codes
from transfer_line n join transfer t on t.tenant_id = n.tenant_id and t.id = n.transfer_id
where n.tenant_id = %(t)s and t.state in ('sent', 'claimed') order by n.transfer_id, n.line_no limit 200
"""


class World:
    """Two shops of one organization with three clerks, two products, and everything that ever happened in them."""

    def __init__(self, facility_app, center_app):
        self.app, self.pharmacy = facility_app, make_insured_pharmacy(facility_app, center_app)
        self.branch = make_branch(facility_app, center_app, self.pharmacy)
        second = add_person(facility_app, self.pharmacy, "clerk", name="钱一")
        with self.acting():
            self.products = [make_product(self.pharmacy), make_product(self.pharmacy, pack_size=6)]
            self.supplier = make_supplier(self.pharmacy)
            approve_products(self.pharmacy, *self.products)
            self.desks = [desk_of(self.pharmacy), desk_of(self.branch), desk_of(self.pharmacy, second)]
            for desk in self.desks:
                open_shift(desk)
        self.done, self.refused, self.last = [], [], []
        self.wrong = None  # The first thing that did not agree, and what had just been done.

    def acting(self):
        return _Acting(self.app, self.pharmacy.tenant_id)

    def rows(self, statement):
        with transaction(settings=self.pharmacy.scope) as hot:
            return hot.run_last(statement, {"t": self.pharmacy.tenant_id})

    def check(self):
        """Ask whether the books agree. A pharmacy lives on, so the first disagreement is kept and nothing is tried again."""
        with self.acting():
            for what, statement in WRONG.items():
                if self.wrong is None and (rows := self.rows(statement)):
                    self.wrong = (what, rows[:3], self.last)

    def codes(self):
        return self.rows(
            """select t.code, t.state, t.zone, t.lot_id, t.remaining, t.product_id, t.facility_id from trace_code t where t.tenant_id = %(t)s order by t.code limit 500"""
        )


class _Acting:
    def __init__(self, app, tenant_id):
        self.app, self.tenant_id = app, tenant_id

    def __enter__(self):
        self.contexts = [self.app.app_context(), tenancy.as_tenant(self.tenant_id)]
        for context in self.contexts:
            context.__enter__()

    def __exit__(self, *failure):
        for context in reversed(self.contexts):
            context.__exit__(*failure)


# ---- acts: a desk and two numbers that say to what --------------------------------------------------------------------


def receive(world, desk, one, two):
    product = world.products[one % len(world.products)]
    codes = tuple(make_code() for _ in range(1 + two % 3))
    line = ReceiptLine(
        product, f"L{two % 4}", clock.business_date() + timedelta(days=100 + two % 4), len(codes), codes=codes
    )
    deliveries.receive_purchase(desk, uuid4(), world.supplier, [line])


def sell_one(world, desk, one, two):
    codes = world.codes()
    shelf = [code for code in codes if code.state in {"IN_STOCK", "SPLIT_OPEN"}] if two % 5 else codes
    picked = [shelf[one % len(shelf)].code]
    if two % 3 == 0 and len(shelf) > 1:
        picked.append(shelf[two % len(shelf)].code)
    try:
        sell(desk, *picked)
    except Refusal:
        if left := baskets.find_open(desk):
            baskets.drop(desk, left.id)
        raise


def split(world, desk, one, _two):
    codes = world.codes()
    pack = codes[one % len(codes)]
    stock.open_pack(desk, pack.product_id, pack.code)


def give_back(world, desk, one, two):
    sales = world.rows(
        "select sale_id, line_no, quantity, split from sale_line where tenant_id = %(t)s order by sale_id, line_no limit 500"
    )
    line = sales[one % len(sales)]
    goods = ("kept", "quarantine", "shelf")[two % 3]
    refunds.refund_sale(desk, uuid4(), line.sale_id, [Back(line.line_no, 1, goods)], "quality")


def move(world, desk, one, two):
    codes = world.codes()
    pack = codes[one % len(codes)]
    act = list(rulebook.ACTS.values())[two % len(rulebook.ACTS)]
    if act.code in {
        "sell",
        "return_in",
        "receive",
        "opening",
        "gain",
        "correct_in",
        "correct_out",
        "arrive",
        "hand_over",
        "send",
        "come_back",
        "lose_transit",
        "use",
        "fill_drawer",
        "drawer_loss",
        "dispense",
        "take_back",
    }:
        act = rulebook.ACTS[("hold", "release", "reject", "destroy", "return_out", "loss")[two % 6]]
    to = act.enters[two % len(act.enters)] if act.enters else ""
    units = (
        max(1, pack.remaining - two % 5) if pack.zone == "SPLIT" else pack.remaining
    )  # A part of an opened pack, too.
    _post(desk, act, ledger.Move(1, pack.lot_id, units, pack.zone, to, (pack.code,) if two % 3 else ()))


@hot_action
def _post(desk, act, line):
    with transaction(settings=desk.settings) as hot:
        ledger.post(hot, desk, act, uuid4(), clock.now(), [line])


def send(world, desk, one, two):
    there = next(each.facility_id for each in world.desks if each.facility_id != desk.facility_id)
    here = [
        code
        for code in world.codes()
        if code.facility_id == desk.facility_id and code.state in {"IN_STOCK", "SPLIT_OPEN"}
    ]
    pack = here[one % len(here)]
    packs = [code for code in here if (code.lot_id, code.zone) == (pack.lot_id, pack.zone)][: 1 + two % 2]
    line = Sent(pack.lot_id, pack.zone, sum(code.remaining for code in packs), tuple(code.code for code in packs))
    transfers.send_transfer(desk, uuid4(), there, [line])


def take(world, desk, one, two):
    """Receive what is on its way, now and then less than was sent, or settle what is missing."""
    lines = [row for row in world.rows(ON_THE_WAY) if row.codes]
    line = lines[one % len(lines)]
    held = {code.code: code.remaining for code in world.codes()}
    if line.state == "claimed":
        outcome = ("found", "back", "lost")[two % 3]
        home = line.to_facility_id if outcome == "found" else line.from_facility_id
        desk = next(each for each in world.desks if each.facility_id == home)
        zone = "" if outcome == "lost" else line.from_zone
        transfers.settle_claim(
            desk, uuid4(), line.transfer_id, line.line_no, outcome, held[line.codes[0]], "查清了", zone=zone,
            codes=line.codes[:1], second_id=world.pharmacy.owner,
        )  # fmt: skip
        return
    codes = tuple(line.codes[: max(1, len(line.codes) - two % 2)])
    arrived = Arrived(
        line.line_no,
        sum(held[code] for code in codes),
        line.from_zone,
        codes,
        "" if len(codes) == len(line.codes) else "missing",
    )
    transfers.receive_transfer(desk, line.transfer_id, [arrived])


def count(world, desk, one, two):
    """Count one product while the others go on: what lies there, now and then one pack less; another person approves."""
    paper, home = uuid4(), world.branch if desk.facility_id == world.branch.facility_id else world.pharmacy
    leader = desk_of(home, home.owner)
    counts.open_count(leader, paper, Scope("product", products=(world.products[one % len(world.products)],)))
    for line in world.rows(
        f"select line_no, lot_id, zone from count_line where tenant_id = %(t)s and count_id = '{paper}' order by line_no limit 100"
    ):
        here = [
            code
            for code in world.codes()
            if (code.lot_id, code.zone) == (line.lot_id, line.zone) and code.state in rulebook.IN_HOUSE
        ]
        held = here[two % 2 :]
        entering.enter_count(
            desk,
            uuid4(),
            paper,
            line.line_no,
            Counted(sum(code.remaining for code in held), "货架", tuple(code.code for code in held)),
        )
    counts.close_count(leader, paper)
    differing = world.rows(
        f"select line_no from count_line where tenant_id = %(t)s and count_id = '{paper}' and difference <> 0 order by line_no limit 100"
    )
    counts.explain_differences(leader, paper, [Reason(line.line_no, "missing", "") for line in differing])
    version = world.rows(f"select version from stock_count where tenant_id = %(t)s and id = '{paper}'")[0].version
    approving.approve_count(desk_of(home, home.pharmacist), paper, version)


def recall(world, desk, one, two):
    """Call a lot back in both shops and, after a while of refusing, end it."""
    paper, owner = uuid4(), desk_of(world.pharmacy, world.pharmacy.owner)
    recalls.issue_recall(
        owner, paper, Wanted(world.products[one % len(world.products)], (f"L{two % 4}",), 2, "试", "停售")
    )
    recalls.close_recall(desk_of(world.pharmacy, world.pharmacy.pharmacist), paper, "查过了")


ACTS = [receive, receive, sell_one, sell_one, split, give_back, move, send, take, count, recall]


class StockRoom(RuleBasedStateMachine):
    world = None  # Set by the test; the pharmacy lives through all runs and grows old.

    @rule(acts=st.lists(st.tuples(st.sampled_from(ACTS), NUMBERS, NUMBERS), min_size=1, max_size=3))
    def several_people_act_at_once(self, acts):
        gate = threading.Barrier(len(acts))
        self.world.last = [(act.__name__, one, two) for act, one, two in acts]

        def work(place, act, one, two):  # What is no refusal comes out of `result` and fails the test.
            with self.world.acting():
                gate.wait(30)
                try:
                    act(self.world, self.world.desks[place], one, two)
                    self.world.done.append(act.__name__)
                except (Refusal, ZeroDivisionError) as refused:  # Nothing there yet to act upon.
                    self.world.refused.append((act.__name__, str(refused)))

        with ThreadPoolExecutor(len(acts)) as pool:
            for running in [pool.submit(work, place, *act) for place, act in enumerate(acts)]:
                if failure := running.exception(60):
                    self.world.wrong = self.world.wrong or (failure, self.world.last)

        self.world.check()


def test_nothing_is_lost_and_nothing_comes_from_nowhere(facility_app, center_app):
    world = World(facility_app, center_app)
    with world.acting():
        receive(world, world.desks[0], 0, 2)
        receive(world, world.desks[0], 1, 1)
    StockRoom.world = world

    run_state_machine_as_test(
        StockRoom,
        settings=settings(
            max_examples=RUNS, stateful_step_count=STEPS, deadline=None, derandomize=False, database=None,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,),  # The world grows old: nothing can be played again.
        ),
    )  # fmt: skip

    print(
        sorted((name, world.done.count(name)) for name in set(world.done)),
        sorted({(n, w.split(":")[0]) for n, w in world.refused}),
    )
    print(
        sorted((name, world.done.count(name)) for name in set(world.done)),
        sorted({(n, w.split(":")[0]) for n, w in world.refused}),
    )
    assert world.wrong is None, world.wrong
    assert {"receive", "sell_one", "split", "give_back", "move", "send", "take", "count", "recall"} <= set(
        world.done
    ), "some act never succeeded"
