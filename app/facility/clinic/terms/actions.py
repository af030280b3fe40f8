"""What signing leaves behind of diagnoses: how often a doctor uses each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.core.hot import Hot
    from app.core.tenancy import Desk

# Counts a use of each code; in the order of codes, so that two signings of one doctor never wait for each other in a ring.
NOTE_USE = """
insert into diagnosis_use as u (tenant_id, staff_id, code)
select %(tenant)s, %(staff)s, t.code from diagnosis_term t where t.code = any(%(codes)s::text[]) order by t.code
on conflict (tenant_id, staff_id, code) do update set times = u.times + 1, last_at = now()
"""


def note_use(hot: Hot, desk: Desk, codes: Iterable[str]) -> None:
    """Count that a doctor signed these diagnoses (常用诊断), once each; inside the act that signs, before the stream's head.

    Codes that the list does not hold are left out.
    """
    wanted = sorted({code.replace("\x00", "") for code in codes})
    if wanted:
        hot.run(NOTE_USE, {"tenant": desk.tenant_id, "staff": desk.staff_id, "codes": wanted})
