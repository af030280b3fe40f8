"""Passwords: argon2 with parameters from the settings, rules for choosing one, and one-time passwords.

Checking costs the same whether the account exists or not, so the time of an answer tells nothing.
"""

from __future__ import annotations

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import gettext

from app.core.errors import Refusal

SHORTEST, LONGEST = 10, 200
STRONG = {"time_cost": 2, "memory_cost": 19_456, "parallelism": 1}  # OWASP's second choice: 19 MiB, two passes.
CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}  # For tests only.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"


class WeakPassword(Refusal):
    """The chosen password is too easy to guess."""

    code = "weak_password"
    sentence = "这个密码不能用：{why}。请换一个，至少 10 位，同时有字母和数字，不含姓名或工号。"
    status = 422


def make_hash(password: str) -> str:
    """Hash a password for storage."""
    return _hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Say whether a password is right. Without an account a dummy is checked, at the same cost."""
    try:
        right = _hasher().verify(stored or _dummy(_parameters()), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def make_one_time() -> str:
    """Make a password to be used once: easy to read out, 60 bits, never 0/O or 1/l."""
    groups = ["".join(secrets.choice(_LETTERS + _DIGITS) for _ in range(4)) for _ in range(2)]
    return "-".join(
        [
            *groups,
            secrets.choice(_LETTERS) + secrets.choice(_DIGITS) + secrets.choice(_LETTERS) + secrets.choice(_DIGITS),
        ]
    )


def refuse_weak(password: str, *known: str) -> None:
    """Refuse a password that is short, of one kind, repeats itself, or contains what everybody knows of the person."""
    if why := _weakness(password, known):
        raise WeakPassword(why=why)


def _weakness(password: str, known: tuple[str, ...]) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        return str(gettext("长度不合要求"))
    if not any(c.isalpha() for c in password) or not any(c.isdigit() for c in password):
        return str(gettext("只有一类字符"))
    if len(set(password)) < 5:
        return str(gettext("重复的字符太多"))
    if any(word and len(word) > 1 and word.lower() in password.lower() for word in known):
        return str(gettext("含有姓名、工号或机构代码"))
    return ""


def _parameters() -> tuple[int, int, int]:
    chosen = current_app.config.get("ARGON2") or (CHEAP if current_app.testing else STRONG)
    return chosen["time_cost"], chosen["memory_cost"], chosen["parallelism"]


def _hasher() -> PasswordHasher:
    return _made(_parameters())


@lru_cache(maxsize=8)
def _made(parameters: tuple[int, int, int]) -> PasswordHasher:
    time_cost, memory_cost, parallelism = parameters
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism)


@lru_cache(maxsize=8)
def _dummy(parameters: tuple[int, int, int]) -> str:
    return _made(parameters).hash(secrets.token_hex(16))
