"""The facility as the center knows it, and this process's one client of the center. Kept in memory, refreshed each minute."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from flask import current_app

from app.core import clock, personal
from app.facility.db import db, transaction
from app.national import client, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.core.tenancy import Desk

KEPT_SECONDS = 60
_encode = msgspec.json.Encoder().encode

FACILITY = "select national_code, name, district, center_secret from facility where tenant_id = %(tenant)s and id = %(facility)s"
NEXT_MESSAGE = """
update stream_head set message_number = message_number + 1
where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
"""


@dataclass(frozen=True)
class Institution:
    """Who asks, and the secret that proves it."""

    wire: envelope.Institution
    secret: bytes


def institution(tenant_id: int, facility_id: int) -> Institution:
    """The facility as the center knows it."""
    known: dict[tuple[int, int], tuple[float, Institution]] = db.kept("institutions")
    kept = known.get((tenant_id, facility_id))
    if kept and kept[0] > time.monotonic():
        return kept[1]
    with transaction(settings={"app.tenant_id": str(tenant_id)}) as hot:
        row = hot.run_last(FACILITY, {"tenant": tenant_id, "facility": facility_id})[0]
    secret = personal.unseal_bytes(str(tenant_id), bytes(row.center_secret))
    found = Institution(envelope.Institution(row.national_code, row.name, row.district), secret)
    known[tenant_id, facility_id] = (time.monotonic() + KEPT_SECONDS, found)
    return found


def operator_of(desk: Desk) -> envelope.Operator:
    """The person at the counter as messages name them."""
    number, _, name = desk.operator.partition(" ")
    return envelope.Operator(number[:30] or str(desk.staff_id), (name or number)[:50])


def national_client() -> client.NationalClient:
    """This process's client: over HTTP where an address is configured, else in this process."""
    known: client.NationalClient | None = current_app.extensions.get("national_client")
    if known is None:
        config = current_app.config
        options: dict[str, Any] = {"threads": config.get("THREADS", 8), "holds_transaction": db.in_transaction}
        if config.get("CENTER_URL"):
            known = client.over_http(
                config["CENTER_URL"],
                own_port=config.get("OWN_PORT"),
                seconds=config.get("CENTER_SECONDS", client.SECONDS),
                **options,
            )
        else:
            known = client.in_process(config["CENTER_DOOR"], **options)
        current_app.extensions["national_client"] = known
    return known


def ask_once(
    desk: Desk,
    infno: str,
    content: Mapping[str, Any],
    *,
    insuplc_admdvs: str = "",
    sign_no: str = "",
    seconds: float | None = None,
) -> envelope.Answer:
    """Ask a question that settles nothing at the center (9001, 1101, 2101, 3101, 5203, 6101), waiting so long. Raises Outage."""
    here = institution(desk.tenant_id, desk.facility_id)
    body = compose(
        here.wire,
        operator_of(desk),
        infno,
        next_message_id(desk),
        clock.now(),
        _encode(content),
        insuplc_admdvs,
        sign_no,
    )
    db.end_reading()
    return national_client().ask(client.Call(infno, body, here.wire.code, here.secret, seconds))


def next_message_id(desk: Desk) -> str:
    """Take the next message id of the facility."""
    with transaction(settings=desk.settings) as hot:
        number = hot.run_last(NEXT_MESSAGE, desk.keys)[0].message_number
    return envelope.message_id(institution(desk.tenant_id, desk.facility_id).wire.code, clock.now(), number)


def compose(
    here: envelope.Institution,
    who: envelope.Operator,
    infno: str,
    message_id: str,
    at: datetime,
    content: bytes,
    insuplc_admdvs: str,
    sign_no: str,
) -> bytes:
    """The bytes of a message; the same values give the same bytes."""
    return envelope.compose(infno, message_id, at, here, who, content, insuplc_admdvs=insuplc_admdvs, sign_no=sign_no)
