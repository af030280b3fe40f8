"""The shop's own barcode (店内码) of a product without one: an EAN-13 from the range that GS1 keeps for use inside shops (20 to 29).

It is made from the product's place in our list, so it is never given twice and stands nowhere: a label printed once is
read for as long as there is the product.
"""

from __future__ import annotations

from app.core.barcodes import ean13, is_ean13

PREFIX = "28"
_DIGITS = 10


def house_code(product_id: int) -> str:
    """The shop's own barcode of a product."""
    return ean13(f"{PREFIX}{product_id:0{_DIGITS}d}")


def product_of(text: str) -> int | None:
    """The product that a shop's own barcode names; None for any other text."""
    plain = text.strip()
    return int(plain[len(PREFIX) : -1]) if plain.startswith(PREFIX) and is_ean13(plain) else None
