"""The second factor: codes of six digits that change every 30 seconds (RFC 6238, TOTP), each good for one use."""

from __future__ import annotations

import hmac
import io
from typing import TYPE_CHECKING

import pyotp
import segno

if TYPE_CHECKING:
    from datetime import datetime

SECONDS = 30
DRIFT = (0, -1, 1)  # A phone's clock may be half a minute off.


def make_secret() -> str:
    """Make a new secret, 160 bits in base 32."""
    return pyotp.random_base32()


def address(secret: str, account: str, issuer: str) -> str:
    """Return the otpauth address that an authenticator reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def picture(text: str) -> str:
    """Draw a QR code as an SVG fragment without styles (our content policy allows none)."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out,
        kind="svg",
        scale=4,
        border=2,
        xmldecl=False,
        svgns=False,
        nl=False,
        omitsize=True,
        dark="#000",
        light="#fff",
        svgclass=None,
        lineclass=None,
    )
    return out.getvalue().decode().replace("<svg ", '<svg width="184" height="184" ', 1)


def code_at(secret: str, at: datetime) -> str:
    """The code a phone shows at a moment. The launcher prints it for the demo officer."""
    return pyotp.TOTP(secret).at(at)


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """Return the half minute whose code this is, or None. Whoever accepts it must refuse that step from then on."""
    now = int(at.timestamp()) // SECONDS
    typed = code.encode(errors="replace")  # As bytes: text that is not ASCII cannot be compared in constant time.
    return next(
        (
            now + drift
            for drift in DRIFT
            if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(now + drift).encode(), typed)
        ),
        None,
    )
