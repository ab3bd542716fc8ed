"""The house's own rules: who may import whom, what is public, how large a room may be."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import greenroom

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(greenroom.__file__).parent
# fmt: off
# Each layer may import from itself and from those before it.
LAYERS = [
    ["errors", "names", "layout", "schema", "documents", "manifest", "verdict", "log",
     "promotion", "examples"],
    ["store", "ledger", "marker", "bundle", "lineage", "author", "predictor"],
    ["packaging", "catalog", "registry", "testing", "testing.runner"],
    ["settings", "views", "testing.plugin", "testing.fixtures", ""],
]
PURE = LAYERS[0]
WORLD = {
    "asyncio", "datetime", "getpass", "io", "logging", "obstore", "os", "platform", "random",
    "secrets", "shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time", "uuid",
}
# fmt: on


def module_at(path: Path) -> str:
    """Return a module's name below `greenroom`; that of the package itself is empty."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_at(path): path for path in ROOT.rglob("*.py")}


def layer_of(module: str) -> int:
    if module.partition(".")[0] in {"cli", "serving"}:
        return len(LAYERS) - 1
    [layer] = [number for number, modules in enumerate(LAYERS) if module in modules]
    return layer


def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def without_type_checking(tree: ast.AST) -> Iterator[ast.AST]:
    """Give every node that runs, inside functions too."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from without_type_checking(child)


def imported(module: str) -> Iterator[str]:
    """Give what a module imports, with dots: `os`, `pathlib.Path`, `greenroom.names`."""
    for node in without_type_checking(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(module: str) -> Iterator[str]:
    """Give the modules of the house that a module imports."""
    for name in imported(module):
        package, _, inner = name.partition(".")
        if package == "greenroom":
            yield inner if inner in MODULES else inner.rpartition(".")[0]


def called(module: str) -> Iterator[str]:
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


every_module = pytest.mark.parametrize("module", sorted(MODULES))


@every_module
def test_imports_point_down_only(module: str) -> None:
    upward = {room for room in rooms(module) if layer_of(room) > layer_of(module)}
    assert not upward


def test_every_layer_is_of_modules_that_exist() -> None:
    assert {module for layer in LAYERS for module in layer} <= set(MODULES)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_has_no_way_to_the_world(module: str) -> None:
    names = set(imported(module))
    assert not {name for name in names if name.partition(".")[0] in WORLD}
    assert {name for name in names if name.startswith("pathlib")} <= {"pathlib.PurePosixPath"}
    assert "open" not in set(called(module))


@every_module
def test_only_the_command_line_prints_and_exits(module: str) -> None:
    loud = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "click.echo", "click.secho"}
    if module.partition(".")[0] != "cli":
        assert not loud & set(called(module))
        assert not {name for name in imported(module) if name.partition(".")[0] == "click"}


@every_module
def test_a_module_fits_one_head(module: str) -> None:
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= 330


@every_module
def test_a_module_is_named_by_what_it_is_about(module: str) -> None:
    vague = {"util", "utils", "helpers", "common", "manager", "base", "constants", "misc", "core"}
    assert not vague & set(module.split("."))


def test_the_public_names_are_these() -> None:
    assert greenroom.__all__ == [
        "GreenroomError",
        "Manifest",
        "Promotion",
        "Registry",
        "Training",
        "Verdict",
        "Version",
        "open_registry",
        "serve",
    ]


@pytest.mark.parametrize("name", greenroom.__all__)
def test_a_public_name_is_there_and_explains_itself(name: str) -> None:
    found = getattr(greenroom, name)
    assert found.__name__ == name
    assert found.__doc__


def test_a_name_that_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="'greenroom' has no attribute 'utils'"):
        _ = greenroom.utils
