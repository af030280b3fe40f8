"""Keeps of a large stylesheet only what our pages use, so that a screen opens over a slow line.

Tabler's stylesheet weighs over 600 kB; our pages use about a twentieth of it. A rule stays when every class it names
is used in a template or a script of ours; a custom property stays when something that stays reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Themes and layouts chosen by attributes, the date picker, right-to-left writing: our pages never switch these on.
NEVER_ON = ("[data-theme=dark]", "[data-bs-", "[data-vc", "[dir=")
CLASS_NAME = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
FUNCTION = re.compile(r":(?:not|is|where|has)\([^()]*\)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
READ_PROPERTY = re.compile(r"var\(\s*(--[\w-]+)")
KEYFRAMES_HEAD = re.compile(r"@(?:-\w+-)?keyframes\s+([\w-]+)")


@dataclass
class Rule:
    """One rule: what stands before the braces and what stands between them (None for a statement such as @charset)."""

    head: str
    body: str | None


def trim(stylesheet: str, used_classes: set[str], read_elsewhere: set[str]) -> str:
    """Return the part of the stylesheet that pages with these classes need."""
    kept = keep_rules(split_rules(COMMENT.sub("", stylesheet)), used_classes)
    return drop_unread(drop_idle_animations(kept), read_elsewhere)


def keep_rules(rules: list[Rule], used_classes: set[str]) -> str:
    """Write the rules that apply to something, going into media queries."""
    written: list[str] = []
    for rule in rules:
        if rule.body is None:
            continue
        if rule.head.startswith(("@media", "@supports", "@layer")):
            if inner := keep_rules(split_rules(rule.body), used_classes):
                written.append(f"{rule.head}{{{inner}}}\n")
        elif rule.head.startswith("@"):
            written.append(f"{rule.head}{{{rule.body}}}\n")
        elif selectors := [one for one in split_selectors(rule.head) if applies(one, used_classes)]:
            written.append(f"{','.join(selectors)}{{{rule.body}}}\n")
    return "".join(written)


def applies(selector: str, used_classes: set[str]) -> bool:
    """Whether some element of ours could match the selector."""
    if any(mark in selector for mark in NEVER_ON):
        return False
    needed = set(CLASS_NAME.findall(FUNCTION.sub("", selector)))
    return needed <= used_classes


def drop_idle_animations(stylesheet: str) -> str:
    """Leave out keyframes that no kept rule plays."""
    rules = split_rules(stylesheet)
    played = " ".join(rule.body or "" for rule in rules if not rule.head.startswith("@keyframes"))
    kept = []
    for rule in rules:
        named = KEYFRAMES_HEAD.match(rule.head)
        if not named or re.search(rf"\b{re.escape(named[1])}\b", played):
            kept.append(f"{rule.head}{{{rule.body}}}\n")
    return "".join(kept)


def drop_unread(stylesheet: str, read_elsewhere: set[str]) -> str:
    """Leave out custom properties that nothing reads, again and again until all that stay are read."""
    while True:
        read = set(READ_PROPERTY.findall(stylesheet)) | read_elsewhere
        shorter = re.sub(
            r"(--[\w-]+):(?:[^;{}\"']|\"[^\"]*\"|'[^']*')*;?",
            lambda found, read=read: found[0] if found[1] in read else "",  # type: ignore[misc]
            stylesheet,
        )
        shorter = re.sub(r"[^{}]+\{\}\n?", "", shorter)
        if shorter == stylesheet:
            return shorter
        stylesheet = shorter


def split_rules(stylesheet: str) -> list[Rule]:
    """Cut a stylesheet into its outermost rules; braces inside quotes do not count."""
    rules: list[Rule] = []
    start = opened = depth = 0
    for position, sign in structure(stylesheet):
        if sign == "{":
            depth += 1
            opened = position if depth == 1 else opened
        elif sign == "}":
            depth -= 1
            if depth == 0:
                rules.append(Rule(stylesheet[start:opened].strip(), stylesheet[opened + 1 : position].strip()))
                start = position + 1
        elif depth == 0:
            rules.append(Rule(stylesheet[start:position].strip(), None))
            start = position + 1
    return rules


def structure(stylesheet: str) -> list[tuple[int, str]]:
    """Find the braces and semicolons that shape the stylesheet, passing over quoted text."""
    found = re.finditer(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|url\([^)\"']*\)|[{};]", stylesheet)
    return [(match.start(), match[0]) for match in found if match[0] in "{};"]


def split_selectors(head: str) -> list[str]:
    """Cut a list of selectors at the commas that stand outside of brackets."""
    selectors, depth, start = [], 0, 0
    for position, sign in enumerate(head):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            selectors.append(head[start:position].strip())
            start = position + 1
    return [*selectors, head[start:].strip()]
