"""Invariants of the house, in the words of ARCHITECTURE.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "bulkhead"
PURE = ("core", "formats", "catalogue", "engines", "posture", "mitigation", "report")
MODULES = sorted(SRC.rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in MODULES}


def test_every_folder_of_code_is_a_package_with_a_docstring() -> None:
    for folder in {path.parent for path in MODULES}:
        init = folder / "__init__.py"
        assert init.exists(), f"{folder} is invisible to the import contracts"
        assert ast.get_docstring(ast.parse(init.read_text())), f"{init} does not say what the room is"


def test_every_module_says_what_it_is(trees: dict[Path, ast.Module]) -> None:
    assert [str(path) for path, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_no_room_is_a_grab_bag() -> None:
    banned = {"utils", "util", "helpers", "common", "misc"}
    assert [str(path) for path in MODULES if banned & set(path.relative_to(SRC).with_suffix("").parts)] == []


def test_deciding_rooms_have_no_async(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{path}:{function.lineno}"
        for path, tree in trees.items()
        if path.relative_to(SRC).parts[0] in PURE
        for function in functions(tree)
        if isinstance(function, ast.AsyncFunctionDef)
    ]
    assert found == []


def reraises(handler: ast.ExceptHandler) -> bool:
    """Whether the handler only cleans up: its last statement raises again what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_broad_excepts_stand_nowhere_but_to_clean_up(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and not reraises(node)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    ]
    assert found == []


def test_files_and_functions_stay_readable(trees: dict[Path, ast.Module]) -> None:
    long_files = [str(path) for path in MODULES if len(path.read_text().splitlines()) > 500]
    assert long_files == []
    long_functions = [
        f"{path}:{function.name}"
        for path, tree in trees.items()
        for function in functions(tree)
        if (function.end_lineno or 0) - function.lineno > 90
    ]
    assert long_functions == []


def test_the_environment_is_read_in_bootstrap_and_the_clients_only(trees: dict[Path, ast.Module]) -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        if path.relative_to(SRC).parts[0] not in ("bootstrap", "clients", "sources")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    ]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(?:TODO|FIXME|XXX)\b|NotImplementedError|pragma: no cover")
    found = [
        f"{path}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_every_error_code_is_documented() -> None:
    from bulkhead.core import errors

    documented = (ROOT / "docs" / "errors.md").read_text()
    classes = [
        item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, errors.BulkheadError)
    ]
    codes = [item.code for item in classes]
    assert len(codes) == len(set(codes))
    assert [code for code in codes if f"## {code}" not in documented] == []


def test_every_setting_is_documented() -> None:
    import msgspec

    from bulkhead.bootstrap import model, settings

    documented = (ROOT / "docs" / "settings.md").read_text()
    kinds: list[type[msgspec.Struct]] = [model.Settings, *model.SECTIONS.values()]
    names = [field.name for kind in kinds for field in msgspec.structs.fields(kind)]
    assert [name for name in names if f"`{name}`" not in documented] == []
    assert [name for name in settings.variables() if f"`{name}`" not in documented] == []
    # And the other way round: no variable is documented that nothing reads.
    told = set(re.findall(r"`(BULKHEAD_[A-Z_]+)`", documented)) - {"BULKHEAD_STATE", "BULKHEAD_SETTINGS"}
    assert told == set(settings.variables())


def test_every_command_is_in_the_readme() -> None:
    from bulkhead.cli import main

    readme = (ROOT / "README.md").read_text()
    assert [name for name in main._COMMANDS if f"bulkhead {name}" not in readme] == []


def test_the_lock_files_pin_hashes_and_name_no_index() -> None:
    for name in ("dev.lock", "peers.lock"):
        text = (ROOT / "requirements" / name).read_text()
        assert "://" not in text
        for line in re.findall(r"^([a-zA-Z0-9._-]+(?:\[[^]]+\])?==\S+)", text, re.MULTILINE):
            assert line
        assert text.count("--hash=sha256:") > 100


def test_the_docs_show_only_commands_that_exist() -> None:
    from bulkhead.cli import main

    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for command in re.findall(r"^\$? ?bulkhead ([a-z]+)", path.read_text(), re.MULTILINE):
            assert command in main._COMMANDS, f"{path.name}: bulkhead {command}"
