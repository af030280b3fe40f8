r"""Gateway profile C (Zhejiang): `x-ca-key`, `x-ca-signature: <unix time>:<HEX>`, HMAC-SM3 over time, "\n", body."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

KEY = "x-ca-key"
SIGNATURE = "x-ca-signature"
TOLERANCE_SECONDS = 30 * 60  # What the gateways allow between two clocks.
_MILLISECONDS = 10**12  # Some clients write the time in milliseconds.


def sign(key: str, secret: bytes, body: bytes, at: datetime) -> dict[str, str]:
    """Return the headers that prove that this body comes from who holds the secret."""
    stamp = str(int(at.timestamp()))
    return {KEY: key, SIGNATURE: f"{stamp}:{_digest(secret, stamp, body)}"}


def why_wrong(headers: Mapping[str, str], secret: bytes, body: bytes, at: datetime) -> str | None:
    """Say what is wrong with a signature; None when it holds."""
    stamp, _, digest = headers.get(SIGNATURE, "").partition(":")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 13 and digest.isascii()):
        return "缺少签名或签名格式有误"
    seconds = int(stamp) // 1000 if int(stamp) >= _MILLISECONDS else int(stamp)
    if abs(seconds - at.timestamp()) > TOLERANCE_SECONDS:
        return "签名时间与中心相差超过 30 分钟，请核对本机时间"
    if not hmac.compare_digest(digest.upper(), _digest(secret, stamp, body)):
        return "签名不一致，请核对机构密钥"
    return None


def verify(headers: Mapping[str, str], secret: bytes, body: bytes, at: datetime) -> bool:
    """Say whether a body was signed with this secret, lately."""
    return why_wrong(headers, secret, body, at) is None


def _digest(secret: bytes, stamp: str, body: bytes) -> str:
    mac = HMAC(secret, hashes.SM3())
    mac.update(stamp.encode() + b"\n" + body)
    return mac.finalize().hex().upper()
