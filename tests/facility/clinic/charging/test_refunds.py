"""Some lines of a bill go back: what was not handed over or came back, the money the way it came, the rest settled anew once."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from psycopg import errors as pg

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.core.hot import statements
from app.facility.clinic.charging import bills, refund_plans, refunds, settling
from app.facility.clinic.charging.errors import BillNotRefundable, RefundNeedsApproval, RefundNotSettled, RefundTooMuch
from app.facility.clinic.charging.refund_plans import Back
from app.facility.db import run, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import worker
from app.facility.till import shifts
from app.facility.till.giving_back import give_back
from app.facility.till.tenders import Tender
from tests.factories.billing import insured_visit, open_bill, signed_visit
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.clinic import make_service, sheet
from tests.factories.people import make_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, on_hand


def row_of(bill):
    return run("select * from bill where id = :b", b=bill).one()


def sheets_of(visit):
    return [(row.state, row.bill_id) for row in run("select state, bill_id from clinic_order where visit_id = :v order by number", v=visit)]  # fmt: skip


def paid_by(bill):
    rows = run("select kind, sum(amount_fen)::int as fen from tender where document_id = :b or document_id in (select id from bill_refund where bill_id = :b) group by kind", b=bill)  # fmt: skip
    return {row.kind: row.fen for row in rows if row.fen}


def hand_over(desk, bill, line, quantity, *, back=0):
    """As dispensing does it."""
    with transaction(settings=desk.settings) as hot:
        keys = {"t": desk.tenant_id, "b": bill, "l": line, "q": quantity, "back": back}
        hot.run(
            "update bill_line set handed_over = handed_over + %(q)s, came_back = came_back + %(back)s where tenant_id = %(t)s and bill_id = %(b)s and line_no = %(l)s",
            keys,
        )
        hot.run(
            "update lot_balance x set reserved = reserved - %(q)s from bill_pick p where x.tenant_id = %(t)s and p.tenant_id = %(t)s and p.bill_id = %(b)s and p.line_no = %(l)s and x.lot_id = p.lot_id and x.zone = p.zone",
            keys,
        )
        hot.run_last(
            "update bill_pick set held = held - %(q)s where tenant_id = %(t)s and bill_id = %(b)s and line_no = %(l)s",
            keys,
        )


@pytest.fixture
def goods(clinic, desk):
    return make_goods(clinic, 10)


@pytest.fixture
def bill(clinic, desk, goods):
    """Two packs at 12.50 and a treatment of 20 yuan, paid with 20 by WeChat and the rest in cash."""
    visit = signed_visit(clinic, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (make_service(clinic), 1)))  # fmt: skip
    bill, version = open_bill(desk, *visit)
    settling.settle_bill(desk, bill, version, [Tender("wechat", 2000), Tender("cash", 2500)])
    return bill


@pytest.fixture
def covered(clinic, desk, center_app):
    return make_covered_goods(center_app, clinic)


@pytest.fixture
def insured(clinic, desk, covered, center_app):
    """Two packs that insurance pays for in part and a treatment it does not know, settled; returns (bill, visit)."""
    service = make_service(clinic, national_code=None, insurance_class=None)
    visit = insured_visit(
        clinic,
        make_insured(center_app, current_fen=0),
        sheet("WESTERN", (covered.product_id, 48)),
        sheet("TREATMENT", (service, 1)),
    )
    bill, _version = open_bill(desk, *visit, insured=True)
    split = bills.preview_bill(desk, bill)
    settling.settle_bill(desk, bill, row_of(bill).version, [Tender("cash", split.cash_fen)], consent=True)
    return bill, visit[0]


def standing_at_center(center_app, visit):
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit).scalar_one()
    return at_center(
        center_app,
        """select setl_id, total_fen, cash_fen from settlement s where mdtrt_id = %(m)s and reverses_setl_id is null
        and not exists (select from settlement r where r.reverses_setl_id = s.setl_id)""",
        m=mdtrt_id,
    )


@pytest.mark.parametrize(
    ("quantity", "split", "unit"),
    [(7000, False, (100, "克")), (1050, False, (1, "0.01克")), (7000, True, (1, "0.01克"))],
)
def test_herbs_are_counted_in_grams_where_they_are_whole(quantity, split, unit):
    about = {"pack_size": 100, "pack_unit": "克", "base_unit": "0.01克", "rx_class": "HERB"}
    row = SimpleNamespace(quantity=quantity, split=split, described=about)
    assert (refund_plans.size_of(row), refund_plans.unit_of(row)) == unit


# ---- by the patient alone ------------------------------------------------------------------------------------------


def test_one_line_goes_back_and_the_rest_stays_paid(clinic, desk, goods, bill):
    visit = row_of(bill).visit_id
    refund = uuid4()
    done = refunds.refund_bill(desk, refund, bill, "not_dispensed", [Back(1, 1)])
    assert refunds.refund_bill(desk, refund, bill, "not_dispensed", [Back(1, 1)]) == done
    assert done.kind == "settled"
    assert row_of(bill).state == "settled"
    assert paid_by(bill) == {"wechat": 2000, "cash": 1250}
    assert on_hand(clinic, goods) == (240, 24)
    assert [state for state, _bill in sheets_of(visit)] == ["CHARGED", "CHARGED"]
    with pytest.raises(DocumentChanged):
        refunds.refund_bill(desk, refund, bill, "not_dispensed", [Back(1, 2)])

    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    assert paid_by(bill) == {"wechat": 2000}
    assert sheets_of(visit)[0] == ("PASSED", None)
    assert sheets_of(visit)[1][0] == "CHARGED"
    refunds.refund_bill(desk, uuid4(), bill, "billing_error", [Back(2, 1)])
    assert row_of(bill).state == "refunded"
    assert paid_by(bill) == {}
    assert on_hand(clinic, goods) == (240, 0)
    _shift, totals, _kinds, _moves = shifts.summary(desk)
    assert (totals.refunds, totals.cash_out_fen, totals.pending) == (3, -2500, 0)
    told = run("select count(*) from outbox where kind = 'bill.refunded'").scalar_one()
    assert told == 3
    check_books(clinic)


def test_only_what_was_not_handed_over_or_came_back_is_given_back(clinic, desk, goods, bill):
    hand_over(desk, bill, 1, 24)
    with pytest.raises(RefundTooMuch) as told:
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 2)])
    assert goods.name in told.value.message
    with pytest.raises(BillNotRefundable):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed")
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    assert on_hand(clinic, goods) == (240, 0)
    assert sheets_of(row_of(bill).visit_id)[0][1] == bill

    hand_over(desk, bill, 1, 0, back=24)
    refunds.refund_bill(desk, uuid4(), bill, "quality", [Back(1, 1)])
    freed = run("select quantity, freed from bill_refund_line where bill_id = :b order by freed", b=bill)
    assert [(row.quantity, row.freed) for row in freed] == [(24, 0), (24, 24)]
    assert on_hand(clinic, goods) == (240, 0)
    for wrong in ([], [Back(9, 1)], [Back(1, 0)], [Back(1, -1)]):
        with pytest.raises(BillNotRefundable):
            refunds.refund_bill(desk, uuid4(), bill, "quality", wrong)


def test_what_is_going_back_is_handed_over_no_more(desk, bill):
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 2)])
    with pytest.raises(pg.CheckViolation):
        hand_over(desk, bill, 1, 24)


def test_the_last_of_a_sheet_that_goes_back_ends_its_dispensing(clinic, desk, bill):
    hand_over(desk, bill, 1, 24)
    with transaction(settings=desk.settings) as hot:
        hot.run_last(
            "update clinic_order set state = 'DISPENSING' where tenant_id = %(t)s and kind = 'WESTERN'",
            {"t": desk.tenant_id},
        )
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    assert sheets_of(row_of(bill).visit_id)[0] == ("DONE", bill)


def test_another_day_needs_another_person(clinic, desk, bill, monkeypatch):
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(RefundNeedsApproval):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    with pytest.raises(RefundNeedsApproval):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], desk.staff_id)
    done = refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    assert run("select approver_id from bill_refund where id = :r", r=done.bill_id).scalar_one() == clinic.owner


def test_a_stranger_gives_nothing_back(facility_app, desk, bill):
    stranger = desk_of(make_pharmacy(facility_app))
    with pytest.raises(NotFound):
        refunds.refund_bill(stranger, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    with pytest.raises(NotFound):
        refunds.net_of(stranger, uuid4(), bill, [Back(1, 1)])


def test_two_who_press_at_once_give_it_back_once(facility_app, clinic, desk, goods, bill):
    ended, ready = [], threading.Barrier(3)

    def press():
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            ready.wait()
            try:
                ended.append(refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 2)]).kind)
            except (RefundTooMuch, BillNotRefundable) as refused:
                ended.append(refused.code)

    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ended.count("settled") == 1
    assert paid_by(bill) == {"wechat": 2000}
    assert on_hand(clinic, goods) == (240, 0)


# ---- by insurance --------------------------------------------------------------------------------------------------


def test_part_of_an_insured_bill_is_reversed_and_the_rest_settled_under_the_old_terms(clinic, desk, covered, insured, center_app):  # fmt: skip
    bill, visit = insured
    before = row_of(bill)
    refund = uuid4()
    with pytest.raises(RefundNeedsApproval):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    net = refunds.net_of(desk, refund, bill, [Back(1, 1)])
    assert (net["refund_fen"], net["rest_fen"], net["resettled"]) == (1250, 3250, True)
    assert row_of(bill).setl_id == before.setl_id

    done = refunds.refund_bill(desk, refund, bill, "not_dispensed", [Back(1, 1)], clinic.owner)

    after = row_of(bill)
    assert (done.kind, after.state, after.setl_id) == ("settled", "settled", before.setl_id)
    [there] = standing_at_center(center_app, visit)
    assert (there.setl_id, there.total_fen) == (after.rest_setl_id, 3250)
    paid = paid_by(bill)
    assert sum(paid.values()) == 3250
    assert paid["cash"] == there.cash_fen
    assert {change.kind: change.amount_fen for change in net["changes"]}["cash"] == there.cash_fen - before.cash_fen
    assert on_hand(clinic, covered) == (240, 24)
    assert after.left_batches == []
    again = refunds.refund_bill(desk, refund, bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    assert again == done

    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    [there] = standing_at_center(center_app, visit)
    assert there.total_fen == 2000
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(2, 1)])
    assert standing_at_center(center_app, visit) == []
    assert paid_by(bill) == {}
    assert row_of(bill).state == "refunded"
    check_books(clinic)


def test_a_center_that_will_not_settle_the_rest_keeps_the_bill_as_it_was(clinic, desk, insured, covered, monkeypatch):
    bill, _visit = insured
    ask = desks.ask_once

    def refuse(desk, infno, content, **more):
        answer = ask(desk, infno, content, **more)
        return replace(answer, accepted=False) if infno == "2206" else answer

    monkeypatch.setattr(desks, "ask_once", refuse)
    with pytest.raises(RefundNotSettled):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    monkeypatch.undo()
    assert row_of(bill).state == "settled"
    assert on_hand(clinic, covered) == (240, 48)


def test_a_refused_reversal_leaves_everything_as_it_was(clinic, desk, insured, covered, facility_app, monkeypatch):
    bill, _visit = insured
    monkeypatch.setattr(refunds.wire, "reversal", lambda _setl, mdtrt, psn, extra: {"data": {"setl_id": "9", "mdtrt_id": mdtrt, "psn_no": psn}})  # fmt: skip
    refused = refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    assert (refused.kind, row_of(bill).state, on_hand(clinic, covered)) == ("refused", "settled", (240, 48))
    assert run("select held from bill_pick where bill_id = :b", b=bill).scalar_one() == 48
    assert run("select sum(refunded) from bill_line where bill_id = :b", b=bill).scalar_one() == 0
    monkeypatch.undo()
    done = refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    assert done.kind == "settled"


def test_a_rest_that_the_center_refuses_after_all_is_paid_by_the_patient(clinic, desk, insured, covered, monkeypatch):
    bill, _visit = insured
    keep = refunds.bills.money_of
    monkeypatch.setattr(refunds.bills, "money_of", lambda split: {**keep(split), "full_fen": split.full_fen + 1})
    done = refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    monkeypatch.undo()
    assert done.kind == "settled"
    assert paid_by(bill) == {"cash": 3250}
    assert row_of(bill).rest_setl_id is None
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed")
    assert paid_by(bill) == {}
    assert row_of(bill).left_batches == []


def test_a_silent_center_leaves_the_refund_to_the_worker_who_only_goes_on(clinic, desk, insured, covered, facility_app, center_app, monkeypatch):  # fmt: skip
    from app.core.errors import Outage

    bill, visit = insured
    client = desks.national_client()
    ask = client.ask
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)

    def silent(call):
        answer = ask(call)
        if call.infno in {"2208", "2207"}:
            raise Outage("silence after it was done")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(client, "ask", silent)
        unknown = refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)], clinic.owner)
    assert unknown.kind == "unknown"
    assert shifts.summary(desk)[1].pending == 1
    with pytest.raises(BillNotRefundable):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed")
    later = clock.now() + timedelta(hours=3)
    time.sleep(0.05)
    with monkeypatch.context() as patch:
        patch.setattr("app.facility.insurance.machine.clock.now", lambda: later)
        patch.setattr(client, "ask", ask)
        worker.run_once()
        time.sleep(0.05)
        worker.run_once()

    [there] = standing_at_center(center_app, visit)
    assert (there.total_fen, there.setl_id) == (3250, row_of(bill).rest_setl_id)
    assert sum(paid_by(bill).values()) == 3250
    check_books(clinic)


def test_money_goes_back_the_way_it_came():
    paid = [Tender("cash", 500), Tender("wechat", 2000), Tender("fund", 3000)]
    back = give_back(paid, {"fund": 1000}, 1200)
    assert {(one.kind, one.amount_fen) for one in back} == {("fund", -2000), ("cash", -500), ("wechat", -800)}
    more = give_back(paid, {"fund": 1000}, 3000)
    assert {(one.kind, one.amount_fen) for one in more} == {("fund", -2000), ("cash", 500)}


def test_a_refund_takes_the_same_statements_whatever_goes_back(clinic, desk):
    packs = [make_goods(clinic, 2) for _ in range(5)]
    counts = []
    for some in (packs[:1], packs):
        visit = signed_visit(clinic, sheet("WESTERN", *((goods.product_id, 24) for goods in some)))
        bill, version = open_bill(desk, *visit)
        settling.settle_bill(desk, bill, version)
        with statements() as ran:
            refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(n + 1, 1) for n in range(len(some))])
        counts.append(len(ran))
    assert counts[0] == counts[1] <= 24
