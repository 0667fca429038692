"""Rules of the code that a review would repeat: they are checked instead."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EVERYTHING = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
VAGUE = {"utils", "util", "helpers", "common", "base", "core", "misc", "manager"}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines; a written-out object, such as Stripe's, counts as one."""
    inside: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            inside |= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return (function.end_lineno or function.lineno) - function.lineno - len(inside)


def state_assignments(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give the lines that assign to an attribute called `state`, and the function they are in."""
    for function in functions(tree):
        assignments = (node for node in ast.walk(function) if isinstance(node, ast.Assign))
        for node in assignments:
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "state":
                    yield node.lineno, function.name


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(ROOT / "src")))
def test_files_and_functions_stay_small_and_say_what_they_are_for(file: Path) -> None:
    text = file.read_text()
    tree = ast.parse(text)

    assert len(text.splitlines()) <= LONGEST_FILE
    assert not text or ast.get_docstring(tree), "a module opens with what it is for"
    long = {function.name: length(function) for function in functions(tree)}
    assert {name: n for name, n in long.items() if n > LONGEST_FUNCTION} == {}
    assert VAGUE.isdisjoint(file.relative_to(ROOT).with_suffix("").parts)


def test_state_moves_only_through_its_table() -> None:
    found = [
        f"{file.name}:{line} in {name}"
        for file in sorted((ROOT / "src" / "app" / "domain").rglob("*.py"))
        for line, name in state_assignments(ast.parse(file.read_text()))
        if name != "move_to"
    ]

    assert found == []


def test_nothing_is_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error")
    found = [f"{file}: {word}" for file in EVERYTHING for word in words if word in file.read_text()]

    assert found == []


def test_lock_files_record_no_addresses() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()
