"""The proof on a slip: drawn from the number and the hash of the fact that tells of it."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_of(text: str) -> Markup:
    """A QR code as a drawing inside the page."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(scale=1, border=0, omitsize=True, svgclass="qr")
    return Markup(drawn)  # noqa: S704 - drawn by the QR library from our own figures
