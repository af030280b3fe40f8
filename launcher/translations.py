"""Makes the English catalog out of the rooms' own fragments, and finds what has no English yet.

Message ids are the Chinese texts. Each room writes its English into translations/en/<room>.po; set-up merges the
fragments into translations/en/LC_MESSAGES/ (never committed). `python -m launcher.translations missing` prints what is
still to be written, ready to be filled in.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
CALLS = {"_", "gettext", "lazy_gettext", "ngettext", "_l", "N_", "words"}
# What a refusal says of its facts; core.errors has these translated too.
FACTS = {"what", "why"}
# These speak with machines in Chinese (err_msg): no page shows what they refuse.
WIRES = ("app/national", "app/center/interface", "app/center/fund", "app/center/supervision/handler.py")
# A refusal's sentence is a plain class attribute; core.errors has it translated when it is shown.
SENTENCES = {"sentence"}
HAN = re.compile("[\u4e00-\u9fff]")
HOLES = re.compile(r"%\(\w+\)[sd]|\{\w*(?:[:!][^}]*)?\}")


@dataclass
class Message:
    """One Chinese text and where it stands."""

    text: str
    places: list[str] = field(default_factory=list)


# ---------- the catalog ----------


def prepare(root: Path = ROOT) -> bool:
    """Merge the fragments and compile them. Returns whether there was anything to do."""
    folder = root / "translations" / "en" / "LC_MESSAGES"
    fragments = fragments_of(root)
    if is_current(folder / "messages.mo", [*fragments, Path(__file__)]):
        return False
    catalog = merged(fragments)
    folder.mkdir(parents=True, exist_ok=True)
    for name, writer in (("messages.po", write_po), ("messages.mo", write_mo)):
        beside = folder / f"{name}.new"
        with beside.open("wb") as file:
            writer(file, catalog)
        beside.replace(folder / name)
    return True


def fragments_of(root: Path) -> list[Path]:
    """The rooms' English, in the order of their names."""
    return sorted((root / "translations" / "en").glob("*.po"))


def is_current(made: Path, sources: list[Path]) -> bool:
    """Whether the catalog is newer than everything it is made of, the folder's listing included."""
    if not made.is_file() or not sources:
        return False
    newest = max([*(path.stat().st_mtime_ns for path in sources), made.parent.parent.stat().st_mtime_ns])
    return made.stat().st_mtime_ns >= newest


def merged(fragments: list[Path]) -> Catalog:
    """All fragments as one catalog; of two Englishes for one text the first stays (a guard test tells)."""
    whole = Catalog(locale="en", project="Sunmed", charset="utf-8", fuzzy=False)
    for path in fragments:
        for message in read_fragment(path):
            if message.id and message.string and message.id not in whole:
                whole.add(message.id, message.string)
    return whole


def read_fragment(path: Path) -> Catalog:
    """One room's English; a broken file stops the set-up."""
    with path.open("rb") as file:
        return read_po(file, locale="en", charset="utf-8", abort_invalid=True)


def disagreements(root: Path = ROOT) -> list[str]:
    """Texts that two rooms put into English differently."""
    seen: dict[str, tuple[str, str]] = {}
    found = []
    for path in fragments_of(root):
        for message in read_fragment(path):
            text, english = str(message.id), str(message.string)
            if not text or not english:
                continue
            first = seen.setdefault(text, (english, path.name))
            if first[0] != english:
                found.append(f"{text}: {first[1]} says {first[0]!r}, {path.name} says {english!r}")
    return found


# ---------- the texts of the product ----------


def messages(root: Path = ROOT) -> dict[str, Message]:
    """Every text a person may read, with its places."""
    found: dict[str, Message] = {}
    for path, text, line in [*python_texts(root), *template_texts(root)]:
        found.setdefault(text, Message(text)).places.append(f"{path.relative_to(root)}:{line}")
    return found


def python_texts(root: Path) -> Iterator[tuple[Path, str, int]]:
    """Texts in translation calls, and the sentences of refusals."""
    for path in sorted((root / "app").rglob("*.py")):
        wire = str(path.relative_to(root)).startswith(WIRES)
        for node in ast.walk(ast.parse(path.read_text())):
            for text in texts_of(node) if wire else [*texts_of(node), *facts_of(node)]:
                yield path, text, getattr(node, "lineno", 0)


def facts_of(node: ast.AST) -> list[str]:
    """The texts written out for `what` and `why` of a refusal that is raised."""
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
        return []
    values = [word.value for word in node.exc.keywords if word.arg in FACTS]
    return constants([choice for value in values for choice in choices(value)])


def choices(node: ast.expr) -> list[ast.expr]:
    """What an expression may come to: one for each way of an if."""
    if isinstance(node, ast.IfExp):
        return [*choices(node.body), *choices(node.orelse)]
    return [part for each in node.values for part in choices(each)] if isinstance(node, ast.BoolOp) else [node]


def untranslated(root: Path = ROOT) -> list[str]:
    """Chinese that is put into a refusal in a way that nobody can translate: an f-string, or a fact of another name."""
    return [
        f"{path.relative_to(root)}:{node.lineno} {ast.unparse(node.exc)}"
        for path in sorted((root / "app").rglob("*.py"))
        if not str(path.relative_to(root)).startswith(WIRES)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        for word in node.exc.keywords
        for part in choices(word.value)
        if any(map(HAN.search, chinese_in(part))) and not (word.arg in FACTS and isinstance(part, ast.Constant))
    ]


def chinese_in(node: ast.expr) -> list[str]:
    """The texts written out in an expression, except those in a translation call."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in CALLS:
        return []
    below = [text for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) for text in chinese_in(child)]
    return [*constants([node]), *below]


def texts_of(node: ast.AST) -> list[str]:
    """The texts one piece of a program shows."""
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "add_room":  # The word on the rail, translated when it is shown.
            return constants(node.args[3:4])
        return constants(node.args[: 2 if name == "ngettext" else 1]) if name in CALLS else []
    if isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in SENTENCES for target in node.targets
    ):
        return constants([node.value])
    if (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id in SENTENCES
        and node.value
    ):
        return constants([node.value])
    return []


def constants(nodes: list[ast.expr]) -> list[str]:
    """Those of the expressions that are texts written out."""
    return [
        node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    ]


def template_texts(root: Path) -> Iterator[tuple[Path, str, int]]:
    """Texts in the templates."""
    for path in sorted((root / "templates").rglob("*")):
        if path.suffix not in {".html", ".txt"}:
            continue
        with path.open("rb") as file:
            for line, _function, found, _comments in babel_extract(
                file,
                ("_", "gettext", "ngettext"),
                (),
                {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"},
            ):
                for text in [found] if isinstance(found, str) else [one for one in found if isinstance(one, str)]:
                    yield path, text, line


def missing(root: Path = ROOT) -> list[Message]:
    """Texts that have no English."""
    catalog = merged(fragments_of(root))
    return [message for message in messages(root).values() if message.text not in catalog]


def lost_holes(root: Path = ROOT) -> list[str]:
    """Englishes that leave out, or invent, a place to be filled in."""
    wrong = []
    for message in merged(fragments_of(root)):
        text, english = str(message.id), str(message.string)
        if set(HOLES.findall(text)) != set(HOLES.findall(english)):
            wrong.append(f"{text} → {english}")
    return wrong


def main() -> int:
    """Command line: merge and compile, or print what is missing."""
    if sys.argv[1:2] == ["missing"]:
        for message in missing():
            print(
                "".join(f"#: {place}\n" for place in message.places[:3]) + f'msgid {quoted(message.text)}\nmsgstr ""\n'
            )
        return 0
    print("English catalog", "made" if prepare() else "is current")
    return 0


def quoted(text: str) -> str:
    """A text as a line of a .po file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main())
