"""What news says of a referral: ours moved on; one that came is only told, and asked for when somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.clinic.referral import statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.hot import Hot
    from central_sync.news_contract import ReferralMoved
    from central_sync.puller import Place


def take_moved(hot: Hot, place: Place, body: ReferralMoved) -> Sequence[Mapping[str, Any]]:
    """Write how one of ours stands now. One that is not known here yet is passed over: whoever looks asks the center."""
    if body.direction == "out":
        keys = {"tenant": place.tenant_id, "facility": place.facility_id, "number": body.referral, "state": body.state.lower(), "at": body.moved_at}  # fmt: skip
        hot.run(statements.TOLD, keys)
    return []
