"""A folder appears whole or not at all, and what was there before survives a failure."""

import os

import pytest
from biomark.errors import BiomarkError
from biomark.viz.report_folder import check_folder, replace_folder


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def fill(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_new_folder_appears_with_its_parents(tmp_path):
    target = tmp_path / "deep" / "report"
    with replace_folder(target) as folder:
        fill(folder, page="1", tables__a="2")
        assert not target.exists()
    assert content(tmp_path) == {"deep/report/page": "1", "deep/report/tables/a": "2"}


def test_a_failure_while_filling_leaves_everything_as_it_was(tmp_path):
    target = tmp_path / "report"
    fill(target, page="old")
    with pytest.raises(OSError, match="disk"), replace_folder(target, outdated=["page"]) as folder:
        fill(folder, page="new")
        raise OSError("disk full")
    assert content(tmp_path) == {"report/page": "old"}
    assert os.listdir(tmp_path) == ["report"]


def test_new_files_replace_old_ones_and_others_stay(tmp_path):
    target = tmp_path / "report"
    fill(target, page="old", tables__a="old", tables__outdated="old", mine="mine")
    with replace_folder(target, outdated=["tables/outdated", "tables/a", "never-there"]) as folder:
        fill(folder, page="new", tables__a="new")
    assert content(target) == {"page": "new", "tables/a": "new", "mine": "mine"}
    assert os.listdir(tmp_path) == ["report"]


def test_a_failure_while_moving_puts_everything_back(tmp_path):
    target = tmp_path / "report"
    fill(target, a="old", z__in_the_way="old", outdated="old")
    before = content(target)
    with pytest.raises(OSError), replace_folder(target, outdated=["outdated"]) as folder:
        # A file cannot replace the folder z.
        fill(folder, a="new", b__c="new", z="new")
    assert content(target) == before
    assert not (target / "b").exists()
    assert os.listdir(tmp_path) == ["report"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(BiomarkError, match="is a file"), replace_folder(tmp_path / "report"):
        pass
    assert content(tmp_path) == {"report": "mine"}


@pytest.mark.parametrize("name", ["report", "there", "a/b/c", "there/deeper"])
def test_the_check_passes_where_it_can_be_written_and_leaves_nothing(tmp_path, name):
    (tmp_path / "there").mkdir()
    check_folder(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
