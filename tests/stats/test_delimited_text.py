import pytest
from biomark.errors import InputFileError
from biomark.stats.delimited_text import table_from_text
from biomark.stats.input_table import ProblemList


def split(text: str | bytes) -> tuple[dict[str, list[str]], list[int], list[str]]:
    problems = ProblemList("file")
    table = table_from_text(bytearray(text.encode() if isinstance(text, str) else text), problems)
    with_problems = []
    try:
        problems.raise_if_any()
    except InputFileError as error:
        with_problems = [str(problem) for problem in error.problems]
    return (
        {name: column.to_pylist() for name, column in table.columns.items()},
        table.rows.tolist(),
        with_problems,
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_every_system_give_the_same_rows(end, last):
    text = end.join(["a,b", "1,2", "", "3,4"]) + (end if last else "")
    assert split(text) == ({"a": ["1", "3"], "b": ["2", "4"]}, [2, 4], [])


def test_quoted_fields_hold_delimiters_quotes_and_line_ends():
    assert split('a,"b ""c"", d"\n"x, y","1\n2"\nz,5" lesion\n') == (
        {"a": ["x, y", "z"], 'b "c", d': ["1\n2", '5" lesion']}, [2, 3], [],
    )  # fmt: skip


def test_cells_stay_as_they_are():
    assert split("a,b\n 007 ,NA\nnull,1e5\n")[0] == {"a": [" 007 ", "null"], "b": ["NA", "1e5"]}


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,b;c,d", ["a", "b;c", "d"]),
        ("a;b,c;d", ["a", "b,c", "d"]),
        ("a\tb c\td,e", ["a", "b c", "d,e"]),
        ('"a;b;c;d",e', ["a;b;c;d", "e"]),
        ("alone", ["alone"]),
    ],
)
def test_delimiter_is_what_divides_the_header_most_often(header, names):
    delimiter = next((d for d in ",;\t" if len(header.split(d)) == len(names)), ",")
    assert list(split(f"{header}\n{delimiter.join('1' * len(names))}\n")[0]) == names


def test_byte_order_mark_is_no_part_of_the_first_name():
    assert list(split(b"\xef\xbb\xbfa,b\n1,2\n")[0]) == ["a", "b"]


def test_header_may_follow_blank_lines_and_hold_a_line_end():
    columns, rows, _ = split('\n,\n"a\nb",c\n1,2\n')
    assert columns == {"a\nb": ["1"], "c": ["2"]}
    assert rows == [4]


def test_row_of_blank_cells_is_counted_but_left_out():
    assert split("a,b\n , \n1,2\n,\n\n3,\n")[:2] == ({"a": ["1", "3"], "b": ["2", ""]}, [3, 6])


def test_header_without_rows_is_reported():
    for text in ("a,b\n", "a,b", "a,b\n\n,\n", 'a,"b"\n""\n'):
        assert split(text)[2] == ["row 1: has a header but no row below it"]


@pytest.mark.parametrize("text", ['a,b\n1,2\n3,"4\n5,6\n', 'a,b\n1,2\n"3,4\n5,6\n', 'a,b\n1,2\n3,"'])
def test_quotation_mark_that_is_never_closed_is_reported_at_its_row(text):
    columns, rows, problems = split(text)
    assert problems == ["row 3: a quotation mark is opened in this row and never closed"]
    assert (columns["a"], rows) == (["1"], [2])


@pytest.mark.parametrize(
    ("n_rows", "message"),
    [
        # One piece of the parser more than it can join, and fewer.
        (10_000_000, "holds a row of more than 16 MiB; is a quotation mark opened and never closed?"),
        (100_000, "a quotation mark is opened in this row and never closed"),
    ],
)
def test_quotation_mark_that_swallows_the_file_is_reported_at_its_row(n_rows, message):
    problems = ProblemList("file")
    with pytest.raises(InputFileError) as caught:
        table_from_text(bytearray(b'a,b\n1,2\n1,"2\n' + b"3,4\n" * n_rows), problems)
        problems.raise_if_any()
    assert str(caught.value) == f"file: row 3: {message}"


@pytest.mark.parametrize(
    "rows",
    [
        '1,2,3,"4\n5,6,7,8\n9,10,11,12"\n13,14,15,16\n',
        '"1,2,3,4\n5"6,7,8,9\n13,14,15,16\n',
        '1,"2,3,4\n5,6",7,8\n13,14,15,16\n',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotation_mark_that_takes_in_the_next_row_is_reported_where_it_is_opened(rows, end):
    (problem,) = split(("a,b,c,d\n" + rows).replace("\n", end))[2]
    assert problem.startswith("row 2: a quotation mark that is opened in this row takes in rows below it")


def test_remark_over_several_lines_is_a_value_like_any_other():
    columns, _, problems = split('a,b,c,d\n1,2,3,"large, round,\nsmooth, soft"\n')
    assert (columns["d"], problems) == (["large, round,\nsmooth, soft"], [])


def test_file_of_one_column_is_told_what_divides_fields():
    assert split("a|b|c\n1|2|3\n")[2] == [
        "row 1: has one column; separate the fields by commas, semicolons or tabs"
    ]


def test_empty_row_written_with_quotes_or_too_few_delimiters_is_left_out():
    assert split('a,b,c\n""\n1,2,3\n,\n"",""\n4,5,6\n') == (
        {"a": ["1", "4"], "b": ["2", "5"], "c": ["3", "6"]}, [3, 6], [],
    )  # fmt: skip


def test_hint_for_too_many_fields_names_the_delimiter():
    assert split("a;b\n1;2;3\n4;5\n")[2] == [
        "row 2: has 3 fields where the header has 2; "
        "put a value that holds one of the semicolons between fields in double quotes"
    ]


def test_file_of_damaged_rows_alone_ends_in_one_message():
    with pytest.raises(
        InputFileError, match="more than 100,000 rows have another number of fields than the header"
    ):
        split("a,b\n" + "1\n" * 100_001)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"a,b\n1,\xe9\n", "row 2: unknown encoding: byte 0xE9 at position 6 "),
        (b"\xef\xbb\xbfa,b\n1,2\n\xc3\xa9,\xc3(\n", "row 3: unknown encoding: byte 0xC3 at position 14 "),
        (b"a,b\n1,\xed\xa0\x80\n", "row 2: unknown encoding: byte 0xED at position 6 "),
        (b"a,b\n1,2\n3,\xe2\x82", "row 3: unknown encoding: byte 0xE2 at position 10 "),
    ],
)
def test_byte_that_is_not_utf8_is_reported_with_its_place(content, where):
    with pytest.raises(InputFileError) as caught:
        split(content)
    assert str(caught.value) == f"file: {where}is not UTF-8; save the file as UTF-8 (in Excel: 'CSV UTF-8')"


@pytest.mark.parametrize("shift", range(4))
def test_characters_across_the_pieces_of_a_large_file_are_whole(shift):
    # Three-byte characters over the border at 16 MiB, in each position.
    text = "a,b\n" + "x" * shift + "€" * 4_000_000 + ",1\n" + "€" * 3_000_000 + ",2\n"
    columns, rows, problems = split(text)
    assert (columns["b"], rows, problems) == (["1", "2"], [2, 3], [])
    with pytest.raises(InputFileError, match="row 4: unknown encoding: byte 0xE9"):
        split(text.encode() + b"\xe9,3\n")


def test_header_that_does_not_end_is_refused():
    with pytest.raises(InputFileError, match="no header: no row of names in the first 1,048,576 bytes"):
        split("x" * 2**21)
    with pytest.raises(InputFileError, match="no header: no row of names"):
        split("\n" * 2**21 + "a,b\n1,2\n")


def test_too_many_columns_are_refused():
    header = ",".join(f"c{i}" for i in range(10_001))
    with pytest.raises(InputFileError, match="row 1: has 10,001 columns; at most 10,000 are read"):
        split(f"{header}\n1\n")
