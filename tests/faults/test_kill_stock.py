"""Kill the facility's process inside a recall: nothing of it happened, and the same paper sent again happens once."""

from uuid import uuid4

import httpx
import pytest

from app.core import tenancy
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import make_goods, one
from tests.faults.tills import Till

pytestmark = pytest.mark.faults


def standing(pharmacy, goods, recall):
    """Recalls kept, how the lot is held, facts that told of it."""
    row = one(
        pharmacy,
        """select (select count(*) from recall where tenant_id = %(t)s and id = %(r)s)::int as kept,
            (select string_agg(hold, ',') from lot where tenant_id = %(t)s and product_id = %(p)s) as hold,
            (select count(*) from outbox where tenant_id = %(t)s and kind = 'lot.held')::int as told""",
        r=recall,
        p=goods.product_id,
    )
    return row.kept, row.hold, row.told


def test_a_kill_inside_a_recall_leaves_no_half_of_it(wings, facility_app, center_app):
    with facility_app.app_context():
        pharmacy = make_insured_pharmacy(facility_app, center_app)
        with tenancy.as_tenant(pharmacy.tenant_id):
            goods = make_goods(pharmacy, 2)
        recall = uuid4()
        paper = {
            "document": recall, "product": goods.product_id, "lot": goods.lot_number, "entry": goods.lot_number,
            "level": "1", "reason": "厂家通知", "instructions": "", "codes": "",
        }  # fmt: skip
        before = standing(pharmacy, goods, recall)
        wings.facility.start("recall.issued:kill")
        with pytest.raises(httpx.TransportError):
            Till(wings, pharmacy, "003").post("/stock/recalls", **paper)
        wings.facility.wait_killed()
        assert standing(pharmacy, goods, recall) == before == (0, before[1], 0)

        wings.facility.start()
        pharmacist = Till(wings, pharmacy, "003")
        answers = [pharmacist.post("/stock/recalls", **paper) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert standing(pharmacy, goods, recall) == (1, "recalled", 1)
