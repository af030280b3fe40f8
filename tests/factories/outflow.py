"""Out-flow prescriptions for tests: a reviewed sheet of drugs with national codes, sent out."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from uuid import uuid4

from app.core import personal, tenancy
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.outflow import sending
from app.facility.db import db, run
from central_sync import inbox, wire
from central_sync.chain import Fact
from launcher.databases import connect
from tests.factories.billing import signed_visit
from tests.factories.clinic import make_patient, sheet
from tests.factories.shop import desk_of, make_product, one

NAME = "欧阳外配"


def a_national_code() -> str:
    return f"XA{secrets.token_hex(10).upper()}"[:23]


def ready_sheet(clinic, *nationals, packs=2, patient=None, **fields):
    """A signed and reviewed prescription; returns the sheet's id."""
    nationals = nationals or (a_national_code(),)
    lines = []
    for national in nationals:
        product = make_product(clinic, national_code=national, rx_class="RX", **fields)
        size = run("select pack_size from product where id = :p", p=product).scalar_one()
        lines.append(Line(product, packs * size, frequency="每日 1 次", route="口服", days=7))
    _visit, [order] = (
        signed_visit(clinic, sheet("WESTERN", *lines), patient_id=patient)
        if patient
        else signed_visit(clinic, sheet("WESTERN", *lines))
    )
    return order


def send_out(clinic, *nationals, **fields):
    """Send such a sheet out; returns (document, code)."""
    document = uuid4()
    with tenancy.as_tenant(clinic.tenant_id):
        fields.setdefault("patient", make_patient(clinic, name=NAME))
        order = ready_sheet(clinic, *nationals, **fields)
        assert sending.send_out(desk_of(clinic, clinic.doctor), document, order) == "out"
        db.end_reading()
    return document, code_of(clinic, document)


def code_of(clinic, document) -> str:
    row = one(clinic, "select code_sealed from outflow where tenant_id = %(t)s and id = %(d)s", d=str(document))
    return personal.unseal(str(clinic.tenant_id), bytes(row.code_sealed))


@contextmanager
def relaying(database_urls):
    """Yields what carries a facility's facts to the center, as the relay does."""
    from sqlalchemy import create_engine

    from app.center.supervision.handler import handler

    engine = create_engine(database_urls["center"]["inbox"])
    reached: dict[str, int] = {}

    def carry(pharmacy, *, again=False):
        since = 0 if again else reached.get(pharmacy.code, 0)
        with connect(database_urls["facility"]["owner"]) as owner:
            rows = owner.execute(
                "select epoch, number, kind, version, body, hash from outbox where tenant_id = %s and number > %s order by number", (pharmacy.tenant_id, since)
            ).fetchall()  # fmt: skip
        facts = [Fact(row[0], row[1], row[2], row[3], bytes(row[4]), bytes(row[5])) for row in rows]
        with engine.begin() as connection:
            inbox.open_stream(connection, pharmacy.code, pharmacy.district)
            answer = inbox.receive(
                connection, pharmacy.code, wire.Batch(pharmacy.code, 1, wire.to_wire(facts), None), handler
            )
        assert answer.outcome == "ok", answer
        reached[pharmacy.code] = facts[-1].number if facts else since

    yield carry
    engine.dispose()
