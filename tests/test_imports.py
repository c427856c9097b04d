"""Which part imports which, and what an import costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import biomark
import pytest

ROOT = Path(biomark.__file__).parent
TREE = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "plotly", "numpy", "pandas", "scipy", "jinja2", "docx", "rich"}
FLOORS = ("errors", "stats", "zoo", "viz", "cli", "__main__")
# Third-party packages that only the named floors may use.
KEPT_TO = {
    "torch": {"viz", "zoo"},
    "timm": {"zoo"},
    "timm_3d": {"zoo"},
    "plotly": {"viz"},
    "jinja2": {"viz"},
    "rich": {"viz"},
}


def modules():
    files = [
        *ROOT.glob("*.py"),
        *(path for floor in ("stats", "zoo", "viz") for path in (ROOT / floor).glob("*.py")),
    ]
    return {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in files}


def floor_of(name):
    return name.split("/")[0]


def imports(path):
    """Yield (level, dotted name) of every import of a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)


def loaded_after(code):
    check = f"{code}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, encoding="utf-8", check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_import_biomark_loads_nothing_heavy():
    assert not loaded_after("import biomark") & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["report", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments):
    quiet = "import io, sys; sys.stdout = io.StringIO()"
    run = f"{quiet}; from biomark.__main__ import main; assert main({arguments}) == 0; sys.stdout = sys.__stdout__"
    assert not loaded_after(run) & HEAVY


def test_statistics_load_neither_torch_nor_plotly():
    assert not loaded_after("import biomark.stats, biomark.stats.evaluation") & {"torch", "plotly"}


def test_a_report_does_not_load_torch():
    assert "torch" not in loaded_after("import biomark.viz.report, biomark.viz.terminal")


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_are_relative_and_point_down(name):
    if name == "__init__":
        # The front door names every floor, lazily.
        return
    floor = floor_of(name)
    for level, target in imports(modules()[name]):
        if level == 0:
            package = target.partition(".")[0]
            assert package not in ("biomark", "stats", "zoo", "viz"), f"{name} imports {target}"
            assert floor in KEPT_TO.get(package, {floor}), f"{name} imports {target}"
            continue
        depth = name.count("/")
        if level == depth + 1:
            below = target.partition(".")[0]
            if below != "__version__":
                assert FLOORS.index(below) < FLOORS.index(floor), f"{name} imports {target}"
        else:
            assert level <= depth, f"{name} imports above the package"


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "examples"])
def test_scripts_import_biomark_and_never_a_second_copy(folder):
    for path in (TREE / folder).rglob("*.py"):
        for level, target in imports(path):
            assert level == 0, path
            assert target.partition(".")[0] not in ("stats", "zoo", "viz", "cli", "errors"), (path, target)


@pytest.mark.parametrize("package", ["stats", "zoo", "viz"])
def test_no_public_name_is_that_of_a_module(package):
    public = set(getattr(importlib.import_module(f"biomark.{package}"), "__all__", ()))
    assert not public & {path.stem for path in (ROOT / package).glob("*.py")}


def test_modules_of_the_root_are_those_of_the_design():
    assert {path.stem for path in ROOT.glob("*.py")} == {"__init__", "__main__", "cli", "errors"}
