"""The code of an out-flow prescription (外配处方取药码): what the patient shows at a pharmacy, on paper or as a QR code.

Sixteen characters of base 32 are eighty random bits: nobody guesses one. The letters I, L, O and U are left out; who types an
O for a zero means the zero.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
PREFIX = "SUNMED-RX:"  # Begins the text in the QR code, so that a scanner's text is told from a drug's.
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1"})


def make() -> str:
    """A new code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read(typed: str) -> str | None:
    """The code as it was typed or scanned; None when it is none."""
    plain = typed.strip().upper().removeprefix(PREFIX)
    plain = "".join(sign for sign in plain if sign not in " -–\u3000").translate(_MEANT)
    return plain if len(plain) == LENGTH and all(sign in ALPHABET for sign in plain) else None


def shown(code: str) -> str:
    """In groups of four, as it is printed and read aloud."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
