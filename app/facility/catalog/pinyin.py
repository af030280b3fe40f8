"""How a product is found by ear: pinyin initials and full pinyin, with the readings that drug names have.

Dictionaries read 参苓白术散 as can ling; a clerk types slbzs. Both the right reading and the character-by-character
reading are kept for searching, so that 阿胶 answers to ej and to aj.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pypinyin import lazy_pinyin, load_phrases_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Readings that the general dictionary gets wrong in names of drugs and herbs.
DRUG_READINGS = {
    "参苓": "shen ling",
    "参麦": "shen mai",
    "参附": "shen fu",
    "参茸": "shen rong",
    "参松": "shen song",
    "参芪": "shen qi",
    "参芍": "shen shao",
    "参桂": "shen gui",
    "玄参": "xuan shen",
    "拳参": "quan shen",
    "沙参": "sha shen",
    "苦参": "ku shen",
    "长效": "chang xiao",
    "长春": "chang chun",
    "重楼": "chong lou",
    "重组": "chong zu",
    "川芎": "chuan xiong",
    "芎菊": "xiong ju",
    "芎": "xiong",
    "炔": "que",
    "炔雌醇": "que ci chun",
    "炔诺酮": "que nuo tong",
    "左炔诺孕酮": "zuo que nuo yun tong",
    "海蛤": "hai ge",
    "蛤壳": "ge qiao",
    "蛤蚧": "ge jie",
    "文蛤": "wen ge",
    "枸橼": "ju yuan",
    "枸杞": "gou qi",
    "黄柏": "huang bo",
    "知柏": "zhi bo",
    "侧柏": "ce bai",
    "阿胶": "e jiao",
    "白术": "bai zhu",
    "苍术": "cang zhu",
    "莪术": "e zhu",
    "术苓": "zhu ling",
    "厚朴": "hou po",
    "朴硝": "po xiao",
    "没药": "mo yao",
    "薄荷": "bo he",
    "降香": "jiang xiang",
    "行气": "xing qi",
    "行军": "xing jun",
    "调经": "tiao jing",
    "栓塞": "shuan se",
    "血塞通": "xue sai tong",
    "色甘": "se gan",
    "单硝酸": "dan xiao suan",
    "单糖浆": "dan tang jiang",
    "还少": "huan shao",
    "朝阳": "chao yang",
    "曲安": "qu an",
    "大黄": "da huang",
    "甲壳": "jia qiao",
    "地龙": "di long",
    "石斛": "shi hu",
    "龟甲": "gui jia",
    "藏红花": "zang hong hua",
    "藏青果": "zang qing guo",
    "西藏": "xi zang",
    "仔": "zi",
    "都梁": "du liang",
    "都乐": "du le",
    "王不留行": "wang bu liu xing",
    "荨麻疹": "xun ma zhen",
    "和胃": "he wei",
    "盛": "sheng",
    "给药": "gei yao",
}
load_phrases_dict({word: [[sound] for sound in reading.split()] for word, reading in DRUG_READINGS.items()})

_RUNS = re.compile(r"[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_GREEK = str.maketrans({"α": "a", "β": "b", "γ": "g", "δ": "d", "ω": "o", "ⅰ": "i"})


@dataclass(frozen=True, slots=True)
class SearchKeys:
    """The columns a product is found by."""

    initials: str
    pinyin: str
    search: str


def search_keys(generic_name: str, trade_name: str, others: Sequence[str]) -> SearchKeys:
    """Return initials (generic name, then trade name), full pinyin for sorting, and the text that a search looks into."""
    names = [folded(name) for name in (generic_name, trade_name) if name]
    right = [_spell(name, _right) for name in names]
    apart = [_spell(name, _apart) for name in names]
    initials = " ".join(short for short, _ in right)
    pinyin = " ".join(long for _, long in right)
    words = [*names, *(folded(other) for other in others), *(sound for pair in (*right, *apart) for sound in pair)]
    return SearchKeys(initials, pinyin, " ".join(dict.fromkeys(word for word in words if word)))


def folded(text: str) -> str:
    """Fold case and full-width forms, so that what is typed and what is stored meet."""
    return unicodedata.normalize("NFKC", text).lower().translate(_GREEK).strip()


def _right(run: str) -> list[str]:
    """Read a run of Chinese characters as words."""
    return lazy_pinyin(run)


def _apart(run: str) -> list[str]:
    """Read a run of Chinese characters one by one, as a person in a hurry does."""
    return [sound for character in run for sound in _of_character(character)]


@lru_cache(maxsize=8192)
def _of_character(character: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin(character))


def _spell(name: str, read: Callable[[str], list[str]]) -> tuple[str, str]:
    """Return initials and full pinyin of a name; Latin runs stay as written, 维生素C is wssc."""
    initials, sounds = [], []
    for run in _RUNS.findall(name):
        if run.isascii():
            initials.append("" if run.isdigit() else run)
            sounds.append(run)
        else:
            spoken = read(run)
            initials += [sound[:1] for sound in spoken]
            sounds += spoken
    return "".join(initials), "".join(sounds)
