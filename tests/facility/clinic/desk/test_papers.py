"""The desk's papers: the colour and mark of each kind, whole names, who may open them."""

from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.clinic.desk.rules import Line
from app.facility.db import run
from launcher.databases import plain
from tests.facility.clinic.desk.test_pages import seated
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit, sheet, sign
from tests.factories.shop import make_product


@pytest.fixture
def doctor(facility_app, clinic):
    return seated(facility_app, clinic, clinic.doctor)


def text(client, address):
    answer = client.get(f"/clinic/desk{address}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def ids(visit):
    return {row.kind: row.id for row in run("select kind, id from clinic_order where visit_id = :v", v=visit)}


@pytest.mark.parametrize(
    ("tag", "tint", "mark"),
    [("ordinary", "white", ""), ("emergency", "yellow", "急诊"), ("paediatric", "green", "儿科")],
)
def test_a_prescription_has_the_colour_and_mark_of_its_kind(clinic, doctor, tag, tint, mark):
    visit = make_visit(clinic, make_patient(clinic, name="冯巩义"))
    line = Line(
        make_product(clinic, generic_name="布洛芬片"),
        24,
        dose=Decimal("0.5"),
        dose_unit="g",
        frequency="tid",
        route="po",
        days=3,
    )
    sign(clinic, visit, sheet("WESTERN", line, tag=tag))
    paper = text(doctor, f"/sheets/{ids(visit)['WESTERN']}/paper")
    assert f'class="rxp {tint}"' in paper
    assert (f'class="kind">{mark}<' in paper, "冯巩义" in paper, "未审方，不得调配" in paper) == (True, True, True)
    assert "口服，每次 0.5 g，每天三次，3 天" in " ".join(paper.split())
    assert all(word in paper for word in ("Rp.", "布洛芬片", "× 1", "高血压", "江海明", "12.50", "有效至"))


def test_herbs_infusions_and_treatments_have_papers_of_their_own(clinic, doctor):
    herb = make_product(clinic, rx_class="HERB", pack_unit="克", base_unit="0.01克", pack_size=100, pack_price="0.12", trace_required=False, generic_name="黄芪")  # fmt: skip
    drug, service = make_product(clinic, generic_name="氯化钠注射液"), make_service(clinic, generic_name="针刺")
    visit = make_visit(clinic)
    dripped = Line(
        drug, 24, dose=Decimal(1), frequency="bid", route="ivgtt", days=2, group_no=1, skin_test=True, note="60 滴/分"
    )
    sign(clinic, visit, sheet("HERB", Line(herb, 900 * 7, dose=Decimal(9), handling="first")), sheet("INFUSION", dripped), sheet("TREATMENT", (service, 3)))  # fmt: skip
    found = ids(visit)
    assert all(word in text(doctor, f"/sheets/{found['HERB']}/paper") for word in ("黄芪 9g", "共 7 剂", "先煎"))
    drip = text(doctor, f"/sheets/{found['INFUSION']}/treatment")
    assert all(word in drip for word in ("输液治疗单", "60 滴/分", "皮试", "<td>4</td>"))
    assert "处方笺" in text(doctor, f"/sheets/{found['INFUSION']}/paper")
    assert all(word in text(doctor, f"/sheets/{found['TREATMENT']}/paper") for word in ("治疗单", "针刺", "<td>3</td>"))
    summary = text(doctor, f"/visits/{visit}/summary")
    assert all(word in summary for word in ("就诊小结", "头晕一周", "高血压", "黄芪", "氯化钠注射液", "针刺"))


def test_a_paper_printed_again_says_the_age_of_the_day_of_the_visit(clinic, doctor, database_urls):
    patient = make_patient(clinic, born_on=clock.business_date() - timedelta(days=10))
    visit = make_visit(clinic, patient)
    sign(clinic, visit, sheet("WESTERN", (make_product(clinic), 24)))
    address = f"/sheets/{ids(visit)['WESTERN']}/paper"
    assert "出生 10 天" in text(doctor, address)
    with psycopg.connect(plain(database_urls["facility"]["owner"])) as owner:  # As if the visit had been a week ago.
        owner.execute("select set_config('app.tenant_id', %s, true)", (str(clinic.tenant_id),))
        owner.execute(
            "update visit set visit_on = visit_on - 7 where tenant_id = %s and id = %s", (clinic.tenant_id, visit)
        )
    assert "出生 3 天" in text(doctor, address)


def asked(client, address):
    with statements() as ran:
        text(client, address)
    return len(ran)


def test_a_paper_asks_the_same_however_long_it_is(clinic, doctor):
    counts = []
    for many in (1, 5):
        visit = make_visit(clinic)
        sign(clinic, visit, sheet("WESTERN", *((make_product(clinic), 24) for _ in range(many))))
        for address in (f"/sheets/{ids(visit)['WESTERN']}/paper", f"/visits/{visit}/summary"):
            counts.append(
                min(asked(doctor, address) for _ in range(3))
            )  # Once a minute somebody's session is looked at besides.
    assert counts[:2] == counts[2:]
    assert max(counts) <= 12


def test_papers_are_kept_from_strangers_and_the_record_from_the_till(facility_app, clinic, doctor):
    visit, unsigned = make_visit(clinic), make_visit(clinic)
    sign(clinic, visit, sheet("WESTERN", (make_product(clinic), 24)))
    one = ids(visit)["WESTERN"]
    assert doctor.get(f"/clinic/desk/visits/{unsigned}/summary").status_code == 404
    clerk = seated(facility_app, clinic, clinic.clerk)
    assert clerk.get(f"/clinic/desk/sheets/{one}/paper").status_code == 200
    assert clerk.get(f"/clinic/desk/visits/{visit}/summary").status_code == 403
    other = make_clinic(facility_app)
    stranger = seated(facility_app, other, other.doctor)
    with tenancy.as_tenant(other.tenant_id):
        for address in (f"sheets/{one}/paper", f"sheets/{one}/treatment", f"visits/{visit}/summary"):
            assert stranger.get(f"/clinic/desk/{address}").status_code == 404
