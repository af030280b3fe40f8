"""Bills for tests: sheets that may be charged, a visit the center knows."""

from __future__ import annotations

from uuid import uuid4

from app.core import clock, tenancy
from app.facility.clinic.charging import bills
from app.facility.db import run, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify
from app.national import envelope
from tests.factories.clinic import make_visit, sign
from tests.factories.shop import desk_of


def signed_visit(clinic, *sheets, visit=None, **fields):
    """A visit with these sheets signed and, where a pharmacist has to, reviewed; returns (visit, ids of the sheets)."""
    visit = visit or make_visit(clinic, **fields)
    sign(clinic, visit, *sheets)
    with tenancy.as_tenant(clinic.tenant_id):
        pass_sheets(clinic, visit)
    return visit, [one.id for one in sheets]


def pass_sheets(clinic, visit) -> None:
    """The pharmacist has looked at them."""
    with transaction(settings=clinic.scope) as hot:
        hot.run_last(
            "update clinic_order set state = 'PASSED', reviewer_id = %(p)s, reviewed_at = %(at)s where tenant_id = %(t)s and visit_id = %(v)s and state = 'SIGNED'",
            {"t": clinic.tenant_id, "v": visit, "p": clinic.pharmacist, "at": clock.now()},
        )


def insured_visit(clinic, person, *sheets):
    """A visit that the center has registered for this person's card, its sheets ready to be charged."""
    return signed_visit(clinic, *sheets, visit=registered_visit(clinic, person))


def registered_visit(clinic, person):
    """A visit in the doctor's hand that the center has registered for this person's card; returns its id."""
    desk = desk_of(clinic)
    reading = identify.identify(desk, uuid4(), person.card, "card")
    visit = make_visit(
        clinic, identification_id=reading.id if hasattr(reading, "id") else reading, insutype=person.insutype
    )
    with tenancy.as_tenant(clinic.tenant_id):
        register(desk, visit, person)
    return visit


def register(desk, visit, person) -> str:
    """2201, as the reception does it."""
    number = run("select number from visit where id = :v", v=visit).scalar_one()
    data = {
        "psn_no": person.psn_no, "insutype": person.insutype, "begntime": envelope.wire_time(clock.now()), "mdtrt_cert_type": "03", "mdtrt_cert_no": person.card,
        "card_sn": person.card, "psn_cert_type": "01", "certno": person.certno, "psn_type": person.psn_type, "psn_name": person.name, "ipt_otp_no": number,
        "atddr_no": "D330212000004", "dr_name": "江海明", "dept_code": "QK", "dept_name": "全科", "caty": "A02",
        "exp_content": envelope.extension_text({"credential": "card"}),
    }  # fmt: skip
    answer = desks.ask_once(desk, "2201", {"data": data})
    assert answer.accepted, answer.message
    mdtrt_id = answer.output["data"]["mdtrt_id"]
    with transaction(settings=desk.settings) as hot:
        hot.run_last(
            "update visit set mdtrt_id = %(m)s where tenant_id = %(tenant)s and id = %(visit)s",
            {**desk.keys, "visit": visit, "m": mdtrt_id},
        )
    return mdtrt_id


def open_bill(desk, visit, sheets, **fields):
    """A bill over these sheets; returns (id, version)."""
    bill = uuid4()
    bills.open_bill(desk, bill, visit, sheets, **fields)
    return bill, 1


def charged_visit(clinic, *sheets, visit=None):
    """A visit whose sheets are signed, reviewed and paid in cash; returns (visit, bill)."""
    from app.facility.clinic.charging import settling

    visit, ids = signed_visit(clinic, *sheets, visit=visit)
    desk = desk_of(clinic)
    with tenancy.as_tenant(clinic.tenant_id):
        bill, version = open_bill(desk, visit, ids)
        settling.settle_bill(desk, bill, version)
    return visit, bill
