"""A clinic that the filled pharmacy's customer visits: registered, reminded, charged, settled, and the pharmacy's records looked at."""

from app.national import rx_code
from tests.center import world
from tests.center.outflow.papers import issue
from tests.center.referral.slips import refer


def fill_visit(center_app, person) -> None:
    """One outpatient visit at the center with everything that belongs to it."""
    clinic, drug = world.make_shop(center_app, kind="clinic"), world.make_item(center_app)
    visit = world.register_visit(clinic, person)
    told = [
        clinic.ask("2203", world.description(person, visit)),
        warned := clinic.ask("3101", world.draft(person, visit, [world.order(drug, 30)])),
        clinic.ask("3103", {"data": {"warn_type": "1", "warns": [_gone_on(warned.output["result"][0])]}}),
        clinic.ask("S001", {"data": {"psn_no": person.psn_no, "mdtrt_id": visit}}),
    ]
    rows = world.upload(clinic, person, visit, [(drug, "12.00", "1")])
    told.append(world.settle_visit(clinic, person, visit, rows))
    assert all(answer.accepted for answer in told), [answer.message for answer in told]
    fill_prescription(center_app, clinic)
    refer(clinic, world.make_shop(center_app, kind="clinic"))


def fill_prescription(center_app, clinic) -> None:
    """A prescription that a pharmacy has locked, and a code that nobody has."""
    shop = world.make_shop(center_app)
    asked = {"data": {"rx_trace_code": issue(clinic)["rx_trace_code"]}}
    assert shop.ask("S012", asked).accepted
    assert not shop.ask("S011", {"data": {"rx_trace_code": rx_code.make()}}).accepted


def _gone_on(result) -> dict:
    return {"warn_rslt_id": result["jr_id"], "dspo_way": "1", "dspo_way_rea": "外出一个月"}
