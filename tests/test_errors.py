"""The errors that a user can meet."""

import pickle

import pytest
from biomark.errors import (
    BiomarkError,
    FailedWorkError,
    InputFileError,
    MaskMismatchError,
    MissingExtraError,
    Problem,
)


def test_a_problem_names_its_row_and_column():
    assert str(Problem("found 'x'", row=3, column="y_score")) == "row 3, column 'y_score': found 'x'"


def test_twenty_problems_are_shown_and_the_rest_counted():
    error = InputFileError("preds.csv", [Problem("bad", row=k) for k in range(2, 27)], total=40)
    lines = str(error).splitlines()
    assert len(lines) == 21 and lines[-1] == "preds.csv: and 20 more problems of the same file"


@pytest.mark.parametrize("kind", [InputFileError, MaskMismatchError])
def test_the_error_of_a_file_crosses_to_another_process_whole(kind):
    error = kind("preds.csv", [Problem("bad", row=2, column="y_true")], total=7)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.path, again.problems, again.total) == (
        kind,
        str(error),
        error.path,
        error.problems,
        7,
    )


@pytest.mark.parametrize("kind", [BiomarkError, InputFileError, MissingExtraError])
def test_what_a_caller_can_change_is_a_value_error(kind):
    assert issubclass(kind, ValueError) and not issubclass(FailedWorkError, ValueError)
