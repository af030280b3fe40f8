"""Every list ends: a query that returns many rows says how many at most."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LIMIT = re.compile(r"\blimit [{:%0-9]", re.IGNORECASE)

# Queries that return many rows without a limit of their own, and what bounds them.
BOUNDED_OTHERWISE = {
    "core/hot.py:run_all": "runs what it is given",
}


def _queries():
    for file in sorted(ROOT.glob("app/**/*.py")):
        text = file.read_text()
        tree = ast.parse(text)
        constants = {
            target.id: ast.get_source_segment(text, node) or ""
            for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                body = ast.get_source_segment(text, node) or ""
                used = "".join(
                    value
                    for name, value in constants.items()
                    if name in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                )
                yield f"{file.relative_to(ROOT / 'app')}:{node.name}", ast.unparse(node.returns), body + used


def test_every_list_ends():
    endless = {
        name
        for name, returns, source in _queries()
        if ("list[" in returns or "Sequence[" in returns) and "select" in source.lower() and not LIMIT.search(source)
    }

    assert endless == BOUNDED_OTHERWISE.keys()


def test_the_scan_sees_lists():
    assert sum("list[" in returns for _, returns, _ in _queries()) > 15
