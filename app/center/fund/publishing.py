"""Publishing policies (待遇政策发布). A policy row is never edited: the one before it ends, a new one begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.center.db import action, run
from app.center.fund.policy import read_segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEMO = Path(__file__).resolve().parents[3] / "demo" / "policies.json"
MOST_AT_ONCE = 1_000

_BENEFITS = """
    jsonb_to_recordset(cast(:rows as jsonb)) as p (
        version text, name text, area text, insutype text, person_class text, benefit_class text, valid_from date,
        valid_until date, segments jsonb
    )
"""

CLOSE_BENEFITS = f"""
update benefit_policy b set valid_until = p.valid_from - 1
from {_BENEFITS}
where (b.area, b.insutype, b.person_class, b.benefit_class) = (p.area, p.insutype, p.person_class, p.benefit_class)
    and b.valid_from < p.valid_from and (b.valid_until is null or b.valid_until >= p.valid_from)
"""

ADD_BENEFITS = f"""
insert into benefit_policy (version, name, area, insutype, person_class, benefit_class, valid_from, valid_until, segments)
select version, name, area, insutype, person_class, benefit_class, valid_from, valid_until, segments
from {_BENEFITS}
where not exists (
    select from benefit_policy b
    where (b.area, b.insutype, b.person_class, b.benefit_class, b.valid_from)
        = (p.area, p.insutype, p.person_class, p.benefit_class, p.valid_from)
)
"""

ADD_AIDS = """
insert into aid_policy (version, name, area, entitlement, position, valid_from, valid_until, segment)
select version, name, area, entitlement, position, valid_from, valid_until, segment
from jsonb_to_recordset(cast(:rows as jsonb)) as p (
    version text, name text, area text, entitlement text, position integer, valid_from date, valid_until date, segment jsonb
)
where not exists (
    select from aid_policy a
    where (a.area, a.entitlement, a.valid_from) = (p.area, p.entitlement, p.valid_from)
)
"""


@action
def publish_policies(benefits: Sequence[Mapping[str, Any]], aids: Sequence[Mapping[str, Any]] = ()) -> None:
    """Publish policy rows from their first day on; what was in force before ends the day before. Twice does it once."""
    assert len(benefits) + len(aids) <= MOST_AT_ONCE
    for segment in (*(segment for row in benefits for segment in row["segments"]), *(row["segment"] for row in aids)):
        read_segment(segment)  # What cannot be read must not be published.
    rows = json.dumps(list(benefits))
    run(CLOSE_BENEFITS, rows=rows)
    run(ADD_BENEFITS, rows=rows)
    run(ADD_AIDS, rows=json.dumps(list(aids)))


def publish_demo_policies() -> None:
    """Publish the demo's policies, v1 of 2025 and v2 from 2026 (DOMAIN 1.4: shaped on practice, not official)."""
    told = json.loads(DEMO.read_text("utf-8"))
    publish_policies(told["benefit"], told["aid"])
