"""The wheel and the sdist: what they hold, and that they work where nothing else is installed."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import biomark
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NOT_SOURCE = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "demo", "shared", "runs"
)
NO_NETWORK = re.compile(
    r"dns error|error sending request|failed to fetch|connection refused|offline", re.IGNORECASE
)
UV = str(Path(sys.executable).with_name("uv"))


def run(*command, cwd):
    """Run a command; where it fails for want of a network, skip, unless that is forbidden."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "COV_"))
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**clean, "PATH": path, "COLUMNS": "80"},
    )
    if done.returncode and NO_NETWORK.search(done.stderr + done.stdout):
        if os.environ.get("BIOMARK_REQUIRE_PACKAGING") == "1":
            pytest.fail(f"no network, and BIOMARK_REQUIRE_PACKAGING=1: {done.stderr[-500:]}")
        pytest.skip("building and installing need a network")
    return done


def must(*command, cwd):
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from it."""
    if not Path(UV).exists():
        if os.environ.get("BIOMARK_REQUIRE_PACKAGING") == "1":
            pytest.fail(f"BIOMARK_REQUIRE_PACKAGING=1 and no uv at {UV}")
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("packaging")
    # A copy: a build leaves its own folders in the tree that it builds.
    shutil.copytree(ROOT, folder / "any-name", ignore=NOT_SOURCE)
    shutil.copy(ROOT / ".pre-commit-config.yaml", folder / "any-name")
    must(
        sys.executable,
        "-m",
        "build",
        "--installer",
        "uv",
        "--outdir",
        "../dist",
        ".",
        cwd=folder / "any-name",
    )
    return folder / "dist"


@pytest.fixture(scope="module")
def installed(built):
    """The executables of an environment that holds the wheel and its base dependencies."""
    folder = built.parent
    (wheel,) = built.glob("*.whl")
    must(UV, "venv", "--python", sys.executable, "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    must(UV, "pip", "install", "--python", python, "--constraint", constraints, wheel, cwd=folder)
    return python.parent


def files_of(path, *patterns):
    return {p.relative_to(path).as_posix() for pattern in patterns for p in path.glob(pattern)}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"biomark-{biomark.__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name.removeprefix("biomark/") for name in names if name.startswith("biomark/")}
    patterns = (
        "*.py", "py.typed", "stats/*.py", "zoo/*.py", "zoo/configs/*.yaml", "viz/*.py", "viz/templates/*",
    )  # fmt: skip
    assert inside == files_of(ROOT, *patterns)
    assert {"py.typed", "viz/templates/report.html.j2", "viz/templates/report.css"} <= inside
    others = {name.split("/")[0] for name in names} - {"biomark"}
    assert others == {f"biomark-{biomark.__version__}.dist-info"}


def test_the_sdist_holds_the_tests_and_what_builds(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = files_of(ROOT, "tests/*.py", "tests/*/*.py", "tests/oracles/*", "docs/*.md", "examples/*/*.csv")
    wanted |= {
        "Makefile",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
        "constraints.txt",
        "py.typed",
    }
    assert wanted <= names
    assert not [
        name for name in names if "__pycache__" in name or name.startswith((".venv", ".src", "shared"))
    ]


def test_the_command_runs_in_an_empty_environment(installed, tmp_path):
    assert (
        must(installed / "biomark", "--version", cwd=tmp_path).stdout
        == f"biomark, version {biomark.__version__}\n"
    )
    assert "report" in must(installed / "biomark", "--help", cwd=tmp_path).stdout
    assert must(installed / "python", "-m", "biomark", "--version", cwd=tmp_path).stdout.startswith(
        "biomark, version"
    )


def test_a_report_is_made_without_torch(installed, tmp_path):
    assert (
        must(
            installed / "python",
            "-c",
            "import importlib.util as u; print(u.find_spec('torch'))",
            cwd=tmp_path,
        ).stdout
        == "None\n"
    )
    lines = [
        "patient_id,label,y_true,y_score",
        *(f"P{i},ER,{i % 2},{(i * 7) % 11 + i % 2}" for i in range(40)),
    ]
    (tmp_path / "preds.csv").write_text("\n".join(lines))
    done = must(installed / "biomark", "report", "--preds", "preds.csv", "--n-boot", "20", cwd=tmp_path)
    assert "The report: report/report.html" in done.stdout
    assert (tmp_path / "report" / "tables" / "tables.docx").exists()
    refused = run(installed / "biomark", "report", "--preds", "nothing.csv", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("biomark: nothing.csv: no such file")
