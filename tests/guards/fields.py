"""Which fields each view reads: found in its source, in the functions of its module it calls, and in its form classes."""

import ast
import functools
import inspect
import re
import sys

from flask_wtf import FlaskForm

# Fields whose names carry a number.
NUMBERED = re.compile(r'["\']([a-z_]+)-["\']|prefix == ["\']([a-z_]+)["\']|form\.get\(f["\']([a-z_]+)-\{')
READS = {"get", "getlist", "partition"}


@functools.cache
def fields_of(view) -> frozenset:
    """Names of the form, query and file fields that a view reads, directly or through its helpers and forms."""
    view = inspect.unwrap(view)
    return frozenset(_fields(view, sys.modules[view.__module__], set()))


def _fields(function, module, seen) -> set:
    seen.add(function)
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return set()
    tree = ast.parse(inspect.cleandoc(source) if source.startswith(" ") else source)
    found = {f"{''.join(names)}-#" for names in NUMBERED.findall(source)}
    for node in ast.walk(tree):
        found |= _literals(node)
    for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        target = getattr(module, name, None)
        if inspect.isclass(target) and issubclass(target, FlaskForm):
            found |= {field for field in dir(target) if type(getattr(target, field)).__name__ == "UnboundField"}
        elif inspect.isfunction(target) and target.__module__ == module.__name__ and target not in seen:
            found |= _fields(target, module, seen)
    return found


def _literals(node) -> set:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS and node.args:
        first = node.args[0]
        return (
            {first.value}
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.isidentifier()
            else set()
        )
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return {node.slice.value}
    if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Tuple):
        return {item.value for item in node.iter.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)}
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
        return {
            item.value for item in node.value.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)
        }
    return set()
