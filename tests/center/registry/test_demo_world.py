"""The demo's world: loads through actions, twice does it once, and its persons cover the cases."""

from app.center.fund.publishing import publish_demo_policies
from app.center.registry import demo
from app.center.registry.actions import NewInstitution, NewItem
from app.core import tenancy
from app.national import certno
from tests.center import world


def test_the_demo_loads_twice_and_a_demo_person_can_buy(center_app):
    secret = b"demo"
    here = NewInstitution("P33021200999", "阳光大药房", "330212")
    with center_app.app_context():
        for _ in range(2):
            demo.load([(here, secret)], [NewItem("XDEMO", "示例药", "B", 1000)])
            with tenancy.acting_as(district="33"):
                publish_demo_policies()
    shop = world.Shop(center_app.test_client(), here.code, secret)
    first = demo.persons()[0].new

    answer = shop.ask("2101", world.purchase(first, [world.line("XDEMO")]))

    # 90.00 in scope; 520.00 of the deductible are used, 80.00 are left; the fund shares 10.00.
    assert world.shares(answer) == (800, 9200, 0, 0)
    assert answer.output["setlinfo"]["act_pay_dedc"] == "80.00"


def test_the_persons_are_made_up_well_and_cover_the_cases():
    people = demo.persons()

    assert 12 <= len(people) <= 15
    assert all(certno.is_valid(person.new.certno) for person in people)
    assert len({person.new.card for person in people}) == len(people)
    assert {person.new.status for person in people} == {"normal", "lost", "frozen", "deceased"}
    assert any(person.new.coverage_status == "arrears" for person in people)
    assert any(person.new.mutual_fen for person in people)
    assert all(person.about for person in people)
