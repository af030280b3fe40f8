"""Personal data at rest and on screens: sealed with AES-256-GCM, found by a keyed hash, shown masked (PIPL; DOMAIN 7.3).

The master key comes from the environment (`SUNMED_DATA_KEY`, 32 bytes hex); each tenant's key is derived from it, so a
leaked tenant key opens one tenant. A sealed value begins with a version byte so that SM4 can be added beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"


@lru_cache(maxsize=1)
def _master() -> bytes:
    key = bytes.fromhex(os.environ["SUNMED_DATA_KEY"])
    assert len(key) == 32, "SUNMED_DATA_KEY must be 32 bytes in hex"
    return key


@lru_cache(maxsize=4096)
def _derived(purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(_master())


@lru_cache(maxsize=4096)
def _cipher(key_id: str) -> AESGCM:
    return AESGCM(_derived(f"seal:{key_id}"))


def seal(key_id: str, plain: str | bytes) -> bytes:
    """Encrypt a value for storage with the key of one tenant (or of the center)."""
    nonce = os.urandom(12)
    data = plain.encode() if isinstance(plain, str) else plain
    return _VERSION + nonce + _cipher(key_id).encrypt(nonce, data, key_id.encode())


def unseal_bytes(key_id: str, sealed: bytes) -> bytes:
    """Decrypt a stored value; another tenant's key does not open it."""
    assert sealed[:1] == _VERSION
    return _cipher(key_id).decrypt(sealed[1:13], sealed[13:], key_id.encode())


def unseal(key_id: str, sealed: bytes) -> str:
    """Decrypt a stored text."""
    return unseal_bytes(key_id, sealed).decode()


def lookup(plain: str) -> bytes:
    """Return the keyed hash by which a sealed value is found again."""
    return hmac.new(_derived("lookup"), plain.encode(), hashlib.sha256).digest()


def mask_name(name: str) -> str:
    """张建明 -> 张*明, 张三 -> 张*."""
    if len(name) <= 1:
        return name and "*"
    return name[0] + "*" if len(name) == 2 else f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def mask_certno(number: str) -> str:
    """330205198001011234 -> 330205********1234; of a shorter paper's number the first and the last two: E12345678 -> E******78."""
    if len(number) < 11:
        return number if len(number) < 5 else f"{number[0]}{'*' * (len(number) - 3)}{number[-2:]}"
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


def mask_card(number: str) -> str:
    """Only the last four."""
    return f"…{number[-4:]}"


def mask_phone(number: str) -> str:
    """13812345678 -> 138****5678."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else number and f"{number[0]}****{number[-2:]}"
