"""Goods between two shops of the filled pharmacy: one transfer with a settled claim, one on its way, drafts, a move."""

from uuid import uuid4

from app.core import tenancy
from app.facility.stock.transfers import actions, drafts, moves
from app.facility.stock.transfers.rules import Arrived, Sent
from tests.factories.branches import make_branch
from tests.factories.shop import desk_of, make_goods, one


def fill_transfers(facility_app, made) -> None:
    """Let everything happen once that transfers know."""
    pharmacy = made.pharmacy
    branch = make_branch(facility_app, None, pharmacy, name=f"二店{uuid4().hex[:6]}")
    here, there = desk_of(pharmacy), desk_of(branch)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        goods = make_goods(pharmacy, 6)
        lot = one(pharmacy, "select id from lot where tenant_id = %(t)s and product_id = %(p)s", p=goods.product_id).id
        size, claimed, draft = goods.pack_size, uuid4(), uuid4()
        sent = Sent(lot, "SALEABLE", 3 * size, goods.codes[:3])
        number = actions.send_transfer(here, claimed, branch.facility_id, [sent], "缺货")
        actions.receive_transfer(there, claimed, [Arrived(1, size, "SALEABLE", goods.codes[:1], "missing")])
        actions.settle_claim(
            here, uuid4(), claimed, 1, "back", size, "司机带回", zone="SALEABLE", codes=goods.codes[1:2]
        )
        drafts.enter(here, draft, "send", goods.codes[4])
        cold = make_goods(pharmacy, 2)
        put = one(pharmacy, "select id from lot where tenant_id = %(t)s and product_id = %(p)s", p=cold.product_id).id
        move = moves.move_goods(here, uuid4(), [moves.Shift(put, "SALEABLE", "COLD", 2 * cold.pack_size)], "要冷藏")
    made.ids |= {"transfer_id": claimed, "draft_id": draft}
    made.marks += [number, move, branch.name]
