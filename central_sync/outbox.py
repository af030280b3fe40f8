"""The sending side: open a facility's stream, append facts, read where it stands. Functions take a Connection.

The hot paths call the database function `append_facts` in their own last statement; `append` here serves rare acts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from central_sync import contract
from central_sync.tables import stream_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

OPEN = text("select open_stream(:tenant_id, :facility_id, :stream)")
APPEND = text("select number, hash from append_facts(:tenant_id, :facility_id, cast(:facts as jsonb))")


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """What the dot in the bar says about a facility's stream (数据流)."""

    stream: str
    number: int
    sent_number: int
    sent_at: datetime | None
    relay_state: str
    relay_note: str

    @property
    def waiting(self) -> int:
        """How many facts the center has not acknowledged yet."""
        return self.number - self.sent_number

    @property
    def is_stopped(self) -> bool:
        """Whether sending stands still until someone acts; card settling must then stop as well."""
        return self.relay_state != "running"


def open_stream(connection: Connection, tenant_id: int, facility_id: int, stream: str) -> None:
    """Open a new facility's stream at number 0."""
    connection.execute(OPEN, {"tenant_id": tenant_id, "facility_id": facility_id, "stream": stream})


def append(
    connection: Connection, tenant_id: int, facility_id: int, facts: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[tuple[int, bytes]]:
    """Append facts (kind and body) as the last thing of the caller's transaction; return their numbers and hashes.

    Raises OutsideContract when a body is not what the contract says; then nothing is appended.
    """
    composed = [contract.compose(kind, body) for kind, body in facts]
    rows = connection.execute(
        APPEND, {"tenant_id": tenant_id, "facility_id": facility_id, "facts": json.dumps(composed)}
    )
    return [(int(row.number), bytes(row.hash)) for row in rows]


def stream_status(connection: Connection, tenant_id: int, facility_id: int) -> StreamStatus | None:
    """Say where a facility's stream stands; None when it has none."""
    head = stream_head.c
    row = connection.execute(
        select(head.stream, head.number, head.sent_number, head.sent_at, head.relay_state, head.relay_note).where(
            head.tenant_id == tenant_id, head.facility_id == facility_id
        )
    ).one_or_none()
    return StreamStatus(*row) if row else None
