"""The command line: what it writes, what it prints, and every refusal with its exit code."""

import contextlib
import csv
import inspect
import json
import os
import re
import resource
import signal
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import biomark
import click
import numpy as np
import pandas as pd
import pytest
from biomark.__main__ import main
from biomark.cli import cli
from docx import Document

HEADER = "patient_id,set,model,label,y_true,y_score\n"
ROW = "P1,test,net,ER,1,0.5\n"


def simulated(names=("ER", "PR"), models=("multi-task", "single-task"), sets=("validation", "test"), n=40):
    """A tidy table of simulated patients."""
    rng = np.random.default_rng(5)
    rows = []
    for name in sets:
        for i in range(n):
            size = round(float(rng.uniform(5, 30)), 1)
            for label in names:
                truth = int(rng.random() < 0.5)
                rows += [
                    (f"{name}-{i}", name, model, label, truth, round(float(rng.normal(truth)), 3), size)
                    for model in models
                ]
    return pd.DataFrame(rows, columns=["patient_id", "set", "model", "label", "y_true", "y_score", "size_mm"])


def wide(tidy):
    scores = tidy.assign(column=tidy["model"] + ":" + tidy["label"]).pivot(
        index="patient_id", columns="column", values="y_score"
    )
    truth = tidy.pivot_table(index="patient_id", columns="label", values="y_true")
    known = tidy.drop_duplicates("patient_id").set_index("patient_id")[["set", "size_mm"]]
    table = known.join(truth).join(
        scores[[f"{m}:{k}" for m in tidy["model"].unique() for k in tidy["label"].unique()]]
    )
    return table.reset_index()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def preds(folder):
    simulated().to_csv(folder / "preds.csv", index=False)
    return "preds.csv"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report that was written once: its folder and what the terminal said."""
    folder = tmp_path_factory.mktemp("written")
    simulated().to_csv(folder / "preds.csv", index=False)
    done = program("report", "--preds", "preds.csv", "--n-boot", "50", cwd=folder, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    return folder, done


def program(*arguments, cwd, **environment):
    command = [sys.executable, "-m", "biomark", *arguments]
    return subprocess.run(
        command, capture_output=True, check=False, cwd=cwd, env={**os.environ, **environment}
    )


def leftovers(folder, *known):
    return {path.name for path in folder.iterdir()} - {"preds.csv", *known}


# What it writes and prints


def test_a_report_is_a_page_the_numbers_and_the_tables(written):
    folder, _ = written
    assert {path.name for path in (folder / "report").iterdir()} == {"report.html", "report.json", "tables"}
    assert leftovers(folder) == {"report"}
    suffixes = {path.suffix for path in (folder / "report" / "tables").iterdir()}
    assert suffixes == {".csv", ".tex", ".docx"}


def test_the_summary_shows_key_figures_warnings_and_the_place(written):
    folder, done = written
    shown = done.stdout.decode()
    record = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert shown.startswith("test set (n = 40)")
    assert "locked on validation" in shown
    (row,) = [
        row
        for row in record["individual"]
        if (row["set"], row["label"], row["model"], row["cutoff"]) == ("test", "PR", "single-task", "locked")
    ]
    for name in ("auc", "sensitivity", "specificity"):
        assert re.search(rf"\b{row[name]:.2f}\d?\b", shown), name
    assert f"{len(record['warnings'])} warnings" in shown
    assert f"The report: {os.path.join('report', 'report.html')}" in shown
    assert done.stderr == b""
    assert max(map(len, shown.splitlines())) <= 80


def test_json_prints_report_json_and_nothing_else(preds, capfdbinary):
    assert main(["report", "--preds", preds, "--out", "made", "--n-boot", "20", "--json"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == Path("made", "report.json").read_bytes()
    assert json.loads(out)["main_set"] == "test"
    assert err == b""


def test_quiet_prints_nothing(preds, capfd):
    assert main(["report", "--preds", preds, "--n-boot", "20", "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    assert Path("report", "report.html").exists()


def test_options_reach_the_evaluation(preds, capfd):
    arguments = ["--cutoff-from", "test", "--size-threshold", "12.5", "--n-boot", "30", "--seed", "7"]
    arguments += ["--confidence", "0.9", "--title", "A <b>title</b>", "--quiet"]
    assert main(["report", "--preds", preds, *arguments]) == 0
    settings = json.loads(Path("report", "report.json").read_text(encoding="utf-8"))["settings"]
    expected = {"cutoff_from": "test", "size_threshold_mm": 12.5, "n_boot": 30, "seed": 7, "confidence": 0.9}
    assert settings.items() >= expected.items()
    assert "A &lt;b&gt;title&lt;/b&gt;" in Path("report", "report.html").read_text(encoding="utf-8")


def test_help_states_the_defaults_that_hold():
    defaults = inspect.signature(biomark.evaluate).parameters
    for option in cli.commands["report"].params:
        if defaults.get(option.name) is not None and defaults[option.name].default != ():
            stated = re.search(r"\[default: (.*?)\]", option.help).group(1)
            assert stated == f"{defaults[option.name].default}".removesuffix(".0"), option.name


def test_standard_input_gives_the_same_numbers(written, tmp_path, monkeypatch):
    folder, _ = written
    with (folder / "preds.csv").open(encoding="utf-8") as content:
        monkeypatch.setattr(sys, "stdin", content)
        assert main(["report", "--preds", "-", "--out", f"{tmp_path}/r", "--n-boot", "50", "--quiet"]) == 0
    here = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    there = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert here["provenance"]["input"].pop("name") == "<stdin>"
    del there["provenance"]["input"]["name"]
    assert without_date(here) == without_date(there)


def test_tidy_and_wide_give_the_same_numbers(written, tmp_path):
    folder, _ = written
    table = wide(pd.read_csv(folder / "preds.csv"))
    table.to_csv(tmp_path / "wide.csv", index=False)
    assert (
        main(
            [
                "report",
                "--preds",
                f"{tmp_path}/wide.csv",
                "--out",
                f"{tmp_path}/r",
                "--n-boot",
                "50",
                "--quiet",
            ]
        )
        == 0
    )
    here = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    there = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert here.pop("provenance")["input"]["layout"] == "wide"
    assert there.pop("provenance")["input"]["layout"] == "tidy"
    assert here == there


def without_date(record):
    provenance = {key: value for key, value in record["provenance"].items() if key != "date"}
    return {**record, "provenance": provenance}


def test_same_input_seed_and_version_give_the_same_bytes_but_for_the_date(written, folder):
    # The other one was made by another process, with other hashes.
    earlier, _ = written
    Path("preds.csv").write_bytes((earlier / "preds.csv").read_bytes())
    assert main(["report", "--preds", "preds.csv", "--n-boot", "50", "--quiet"]) == 0
    here, there = contents(folder / "report"), contents(earlier / "report")
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


def contents(report):
    """Every file with its date taken out, the members of the DOCX each for itself."""
    date = json.loads((report / "report.json").read_text(encoding="utf-8"))["provenance"]["date"].encode()
    found = {}
    for path in sorted(report.rglob("*")):
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    found[info.filename, info.date_time] = archive.read(info)
            core = next(key for key in found if key[0] == "docProps/core.xml")
            found[core] = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"", found[core])
        elif path.is_file():
            found[path.relative_to(report).as_posix()] = path.read_bytes().replace(date, b"")
    return found


def test_a_second_report_replaces_the_first_and_leaves_other_files(preds):
    Path("report").mkdir()
    Path("report", "notes.txt").write_text("mine")
    for seed in ("1", "2"):
        assert main(["report", "--preds", preds, "--n-boot", "20", "--quiet", "--seed", seed]) == 0
    assert Path("report", "notes.txt").read_text(encoding="utf-8") == "mine"
    assert json.loads(Path("report", "report.json").read_text(encoding="utf-8"))["settings"]["seed"] == 2


def test_no_table_of_an_earlier_report_stays(preds):
    arguments = ["report", "--preds", preds, "--n-boot", "20", "--quiet"]
    assert main(arguments) == 0
    Path("report", "tables", "mine.csv").write_text("1")
    table = pd.read_csv(preds)
    table[table["label"] == "ER"].drop(columns="size_mm").to_csv(preds, index=False)
    before = {path.name for path in Path("report", "tables").iterdir()}
    assert main(arguments) == 0
    after = {path.name for path in Path("report", "tables").iterdir()}
    assert {"overall.csv", "overall.tex", "strata.csv", "strata.tex"} <= before - after
    assert {"individual.csv", "mine.csv"} <= after


def test_one_class_is_no_refusal_and_the_report_says_why_the_cell_is_empty(folder, capfd):
    table = simulated()
    table.loc[(table["set"] == "test") & (table["label"] == "PR"), "y_true"] = 1
    table.to_csv("preds.csv", index=False)
    assert main(["report", "--preds", "preds.csv", "--n-boot", "20"]) == 0
    shown = capfd.readouterr().out
    assert re.search(r"PR +40 +multi-task +–", shown)
    individual = pd.read_csv("report/tables/individual.csv")
    empty = individual[(individual["set"] == "test") & (individual["label"] == "PR")]
    assert empty["auc"].isna().all()
    assert empty["note"].notna().all()


# What it refuses

REFUSALS = {
    "no such file": (None, "preds.csv: no such file"),
    "empty": ("", "preds.csv: the file is empty"),
    "no header": ("P1,test,net,ER,1,0.5\nP2,test,net,ER,0,0.4\n", "header"),
    "unknown encoding": ((HEADER + "Pé,test,net,ER,1,0.5\n").encode("latin-1"), "UTF-8"),
    "missing column": (HEADER.replace("y_score", "score") + ROW, "y_score"),
    "score that is no number": (HEADER + ROW + "P2,test,net,ER,0,high\n", "preds.csv: row 3, column 'y_score': "),
    "infinite score": (HEADER + ROW + "P2,test,net,ER,0,inf\n", "preds.csv: row 3, column 'y_score': "),
    "missing score": (HEADER + ROW + "P2,test,net,ER,0,\n", "preds.csv: row 3, column 'y_score': "),
    "truth other than 0 and 1": (HEADER + ROW + "P2,test,net,ER,2,0.1\n", "preds.csv: row 3, column 'y_true': "),
    "two rows of one prediction": (HEADER + ROW + ROW, "preds.csv: row 3"),
    "two truths of one patient": (HEADER + ROW + "P1,test,other,ER,0,0.5\n", "preds.csv: row 3, column 'y_true': "),
    "two sets of one patient": (HEADER + ROW + "P1,train,net,PR,0,0.5\n", "preds.csv: row 3, column 'set': "),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses_with_the_place_and_writes_nothing(case, folder, capfd):
    content, expected = REFUSALS[case]
    if content is not None:
        Path("preds.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["report", "--preds", "preds.csv"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("biomark: preds.csv: ")
    assert expected in err
    assert "Traceback" not in err
    assert leftovers(folder) == set()


def test_tells_all_problems_in_one_go(folder, capfd):
    rows = [f"P{i},test,net,ER,{i % 2},x{i}\n" for i in range(25)]
    Path("preds.csv").write_text(HEADER + "".join(rows))
    assert main(["report", "--preds", "preds.csv"]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 21
    assert "row 2," in lines[0] and "'x0'" in lines[0]
    assert lines[-1] == "preds.csv: and 5 more problems of the same file"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Missing option '--preds'"),
        (["--preds", "p", "--n-boot", "1"], "'--n-boot': 1 is not in the range"),
        (["--preds", "p", "--n-boot", "many"], "'--n-boot': 'many' is not a valid integer"),
        (["--preds", "p", "--confidence", "1"], "'--confidence'"),
        (["--preds", "p", "--confidence", "95"], "'--confidence'"),
        (["--preds", "p", "--size-threshold", "0"], "'--size-threshold'"),
        (["--preds", "p", "--seed", "-1"], "'--seed'"),
        (["--preds", "p", "--nothing"], "No such option"),
        (["--preds", "p", "more"], "unexpected extra argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refuses_options_before_it_looks_at_the_file(arguments, expected, folder, capfd):
    assert main(["report", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert expected in err
    assert leftovers(folder) == set()


@pytest.mark.parametrize("option", ["--confidence", "--size-threshold"])
def test_refuses_nan(option, preds, folder, capfd):
    assert main(["report", "--preds", preds, option, "nan"]) == 2
    assert "found nan" in capfd.readouterr().err
    assert leftovers(folder) == set()


def test_refuses_a_set_that_is_not_there(preds, folder, capfd):
    assert main(["report", "--preds", preds, "--cutoff-from", "tune"]) == 2
    assert (
        capfd.readouterr().err
        == "biomark: no set 'tune' to take the cut-offs from; the table has validation, test\n"
    )
    assert leftovers(folder) == set()


def test_refuses_an_unknown_command(capfd):
    assert main(["raport"]) == 2
    assert "No such command 'raport'" in capfd.readouterr().err


@pytest.mark.parametrize("out", ["taken", "taken/deeper"])
def test_refuses_a_file_where_the_folder_is_to_be_before_it_reads(out, folder, capfd):
    Path("taken").write_text("mine")
    assert main(["report", "--preds", "not-there.csv", "--out", out]) == 2
    assert "taken is a file; name a folder" in capfd.readouterr().err
    assert Path("taken").read_text(encoding="utf-8") == "mine"


# Failures of the work itself


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root can write to")
def test_says_that_the_place_cannot_be_written_before_it_reads(capfd):
    assert main(["report", "--preds", "not-there.csv", "--out", "/proc/report"]) == 1
    assert re.fullmatch(r"biomark: /proc/report: .+\n", capfd.readouterr().err)


def test_a_full_disk_is_one_line_and_leaves_no_half_report(preds, folder, capfd):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        assert main(["report", "--preds", preds, "--n-boot", "20"]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(r"biomark: .*File too large\n", err)
    assert leftovers(folder) == set()


def test_interruption_is_130_and_leaves_nothing(folder):
    # A job in the background of a shell ignores this signal, and so would the program.
    heeding = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from biomark.__main__ import main\n"
        "sys.exit(main(['report', '--preds', '-']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", heeding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        # More than a pipe holds: once it is written, the program reads.
        running.stdin.write(HEADER.encode() + ROW.encode() * 20_000)
        running.stdin.flush()
        # Its input stays open, so that it reads until it is interrupted. A signal that comes just before a system call
        # is heard after it, so one may not be enough.
        for _ in range(12):
            running.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(timeout=10)
                break
        running.kill()
        out, err = running.stdout.read(), running.stderr.read()
    assert running.returncode == 130
    assert (out, err.strip()) == (b"", b"biomark: interrupted")
    assert leftovers(folder) == set()


@pytest.mark.parametrize("mode", [["--json"], []], ids=["json", "summary"])
def test_a_reader_that_goes_away_is_no_reason_to_complain(preds, mode):
    command = [sys.executable, "-m", "biomark", "report", "--preds", preds, "--n-boot", "20", *mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert Path("report", "report.html").exists()


def test_a_missing_extra_is_named(monkeypatch, capfd):
    @click.command()
    def needing():
        import torch  # noqa: F401

    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(cli.commands, "needing", needing)
    assert main(["needing"]) == 2
    assert "pip install 'biomark[zoo]'" in capfd.readouterr().err


def test_an_unforeseen_error_is_told_without_traceback(monkeypatch, capfd):
    def broken():
        raise KeyError("\x1b[31mnothing")

    monkeypatch.setattr(cli.commands["report"], "callback", lambda **_: broken())
    assert main(["report", "--preds", "p"]) == 1
    err = capfd.readouterr().err
    assert err.startswith("biomark: unforeseen KeyError: ")
    assert "Traceback" not in err
    assert "\x1b" not in err
    monkeypatch.setenv("BIOMARK_TRACEBACK", "1")
    with pytest.raises(KeyError):
        main(["report", "--preds", "p"])


def test_version_is_that_of_the_package(capfd):
    assert main(["--version"]) == 0
    assert capfd.readouterr().out == f"biomark, version {biomark.__version__}\n"


def test_a_terminal_without_unicode_gets_escapes(preds, folder):
    done = program("report", "--preds", preds, "--n-boot", "20", cwd=folder, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"The report:" in done.stdout


# Names that want to be something else

LABELS = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "[red]x[/red]")
MODELS = ("\x1b[31mnet", r"\input{x}%&_#{}$~^")
SETS = ("validation", "@<img src=x>\u202e")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    simulated(LABELS, MODELS, SETS).to_csv(folder / "[bold]<b>.csv", index=False)
    arguments = ("report", "--preds", "[bold]<b>.csv", "--n-boot", "20", "--title", "<i>\x1b[1m")
    done = program(*arguments, cwd=folder, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    return folder / "report", done.stdout.decode()


class Tags(HTMLParser):
    """The elements of a page and its readable text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.inside = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.text.append(data)


def test_names_stay_text_in_the_page(hostile):
    page = Tags()
    page.feed((hostile[0] / "report.html").read_text(encoding="utf-8"))
    assert not {"img", "b", "i"} & {tag for tag, _ in page.tags}
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    text = "".join(page.text)
    assert "alert(1)" in text
    assert LABELS[0] in text


def test_names_stay_text_in_the_terminal(hostile):
    shown = hostile[1]
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"\x1b[31mnet" in shown
    assert "[red]" in shown


def test_names_are_no_formulas_in_csv(hostile):
    texts = set()
    for path in (hostile[0] / "tables").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert cell[:1] not in ("=", "+", "@", "\t", "\r"), (path, cell)
                    assert not cell.startswith("-") or float(cell) < 0.0, (path, cell)
                texts.update(row)
    assert f"'{LABELS[1]}" in texts
    assert f"'{SETS[1]}" in texts


def test_names_are_no_commands_in_latex(hostile):
    for path in (hostile[0] / "tables").glob("*.tex"):
        text = path.read_text(encoding="utf-8")
        assert "\\input" not in text
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
        body = re.sub(r"\\[\\%&_#{}$]", "", "".join(line for line in text.splitlines() if line[:1] != "%"))
        assert "#" not in body.replace("{!}{%", "")
        assert body.replace("{!}{%", "").count("%") == 0
        assert body.count("$") % 2 == 0
    assert r"\textbackslash{}input\{x\}\%\&\_\#\{\}\$" in (
        hostile[0] / "tables" / "individual.tex"
    ).read_text(encoding="utf-8")


def test_names_are_whole_in_docx(hostile):
    document = Document(hostile[0] / "tables" / "tables.docx")
    text = "\n".join(cell.text for table in document.tables[:4] for row in table.rows for cell in row.cells)
    for name in (*LABELS, MODELS[1], r"\x1b[31mnet"):
        assert name in text
