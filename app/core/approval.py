"""The second pair of eyes: another signed-up person confirms an act at the same screen with their own password."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from app.core import clock, door, passwords, signin, tenancy
from app.core.errors import Refusal
from app.core.signin import Ticket

if TYPE_CHECKING:
    from app.core.accounts import Account


class NotApproved(Refusal):
    """The second person is not known, not right, or the same as the first."""

    code = "not_approved"
    sentence = "复核没有通过：{why}。请另一位有权限的同事输入自己的工号和密码。"
    status = 422


def second_person(name: str, password: str, *roles: str) -> int:
    """Check another person's password (and that they hold one of the roles here) and return their id.

    Counts failures like the door does. For the facility wing. Raises NotApproved, DoorLocked.
    """
    me = signin.me()
    code = me.facility_code
    account = signin.keeper().accounts.find(code, name.strip()[:60]) if name.strip() else None
    door.strike(account, f"{code}/{name[:60]}")
    right = passwords.matches(account.password_hash if account else None, password[:200])
    if account is None or not right or not door.may_enter(account):
        raise NotApproved(why="姓名、工号或密码不对")
    if account.id == me.staff_id:
        raise NotApproved(why="不能自己复核自己")
    if account.realm != (me.tenant_id or account.realm):
        raise NotApproved(why="不是本机构的人员")
    if roles and not _holds(account, roles):
        raise NotApproved(why="这个岗位不能复核")
    door.forgive(account)
    tenancy.enter(**signin.keeper().scope(account.realm))
    return account.id


def _holds(account: Account, roles: tuple[str, ...]) -> bool:
    """Ask what the other person may do here. No session of theirs begins: the browser stays the first person's."""
    moment = int(clock.now().timestamp())
    ticket = Ticket(
        account.realm,
        account.id,
        uuid4().hex,
        account.session_version,
        moment,
        moment,
        facility=signin.me().facility_id,
    )
    with tenancy.acting_as(**signin.keeper().scope(account.realm)):
        who = signin.keeper().standing(ticket)
    return who is not None and who.has(*roles)
