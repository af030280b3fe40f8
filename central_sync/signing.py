"""Signs what goes over the bridge with the institution's secret: the headers of gateway profile C (HMAC-SM3).

`x-ca-key` names the institution, `x-ca-signature` is `<unix seconds>:<HEX of HMAC-SM3(secret, seconds, a line feed, body)>`.
"""

from __future__ import annotations

import hmac
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

KEY_HEADER = "x-ca-key"
SIGNATURE_HEADER = "x-ca-signature"
TOLERANCE_SECONDS = 30 * 60  # The gateways refuse a signature more than 30 minutes off.


def sign(stream: str, secret: bytes, body: bytes, at: int | None = None) -> dict[str, str]:
    """Return the headers that prove who sends this body."""
    seconds = int(time.time()) if at is None else at
    return {KEY_HEADER: stream, SIGNATURE_HEADER: f"{seconds}:{_digest(secret, seconds, body)}"}


def is_signed(secret: bytes, signature: str, body: bytes, now: int | None = None) -> bool:
    """Say whether a signature is of this body, by who knows the secret, and fresh."""
    seconds_text, _, digest = signature.partition(":")
    if not (seconds_text.isascii() and seconds_text.isdigit() and len(seconds_text) <= 12 and digest.isascii()):
        return False
    seconds = int(seconds_text)
    present = int(time.time()) if now is None else now
    if abs(present - seconds) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(digest.upper(), _digest(secret, seconds, body))


def _digest(secret: bytes, seconds: int, body: bytes) -> str:
    mac = HMAC(secret, hashes.SM3())
    mac.update(b"%d\n" % seconds)
    mac.update(body)
    return mac.finalize().hex().upper()
