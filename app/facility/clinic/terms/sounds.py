"""How a diagnosis is found by ear and by a piece of its name: initials, pinyin, and what the index holds of them.

A pair of neighbouring characters is the smallest thing that the index knows, so that two Chinese characters or two
initials are enough to find by. Full pinyin is looked up by where a name begins, when it is long by where a syllable does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pypinyin import lazy_pinyin

from app.facility.catalog.pinyin import folded  # Brings the readings of drugs and herbs along.

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS = re.compile(r"[a-z]+|[0-9]+|[\u3400-\u9fff]+")
# Marks in the index: a syllable begins with these six letters; the name, its initials or its pinyin begin so. One syllable
# alone is no mark: 性, 症 and 病 stand in every third name.
SYLLABLE, BEGINNING = "~", "^"
LONG, SHORT = 6, 3


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns a term is found by."""

    initials: str
    pinyin: str
    search: str
    grams: tuple[str, ...]


def keys_of(name: str) -> Keys:
    """Return what a name is found by: read as words, and character by character as a person in a hurry does."""
    plain = "".join(folded(name).split())
    right, apart = _syllables(plain, _as_words), _syllables(plain, _one_by_one)
    spoken = list(dict.fromkeys(_initials(each) for each in (right, apart)))
    pinyin = "".join(right)
    texts = [plain, *(each for each in spoken if each != plain)]
    marks = {f"{BEGINNING}{text[0]}" for text in texts if text} | {BEGINNING + pinyin[:SHORT]}
    rests = ("".join(each[at:])[:LONG] for each in (right, apart) for at in range(len(each)))
    starts = {SYLLABLE + rest for rest in rests if len(rest) == LONG}
    pieces = {piece for text in texts for piece in grams(text)} | set(plain)
    return Keys(" ".join(spoken), pinyin, " ".join(texts), tuple(sorted(pieces | marks | starts)))


def grams(text: str) -> list[str]:
    """The pairs of neighbours in a text."""
    return [text[at : at + 2] for at in range(len(text) - 1)]


def _syllables(plain: str, read: Callable[[str], list[str]]) -> list[str]:
    """The sounds of a name in order; Latin letters stay together as written, figures too."""
    found: list[str] = []
    for run in _RUNS.findall(plain):
        found += [run] if run.isascii() else read(run)
    return found


def _initials(sounds: list[str]) -> str:
    return "".join(sound[:1] for sound in sounds if not sound.isdigit())


def _as_words(run: str) -> list[str]:
    return list(lazy_pinyin(run))


def _one_by_one(run: str) -> list[str]:
    return [sound for character in run for sound in _of_character(character)]


@lru_cache(maxsize=8192)
def _of_character(character: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin(character))
