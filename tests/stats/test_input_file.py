import gzip
import hashlib
import io
import os
import zlib

import pandas as pd
import pytest
from biomark import read_predictions
from biomark.errors import BiomarkError, InputFileError
from biomark.stats.input_file import read_bytes
from biomark.stats.parquet_table import open_parquet

TEXT = b"patient_id,label,y_true,y_score\n1,ER,1,0.5\n"
EXPECTED = ". Expected CSV or TSV text, plain or gzip, or Parquet"


def refusal(content: bytes) -> str:
    with pytest.raises(InputFileError) as caught:
        read_predictions(io.BytesIO(content))
    (problem,) = caught.value.problems
    return str(problem)


def test_content_and_digest_are_those_of_the_file():
    packed = gzip.compress(TEXT)
    data = read_bytes(io.BytesIO(packed))
    assert bytes(data.content) == TEXT
    assert data.sha256 == hashlib.sha256(packed).hexdigest()
    assert data.name == "<stream>"


def test_concatenated_gzip_members_are_one_file():
    assert bytes(read_bytes(io.BytesIO(gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:]))).content) == TEXT


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(InputFileError) as caught:
        read_predictions(tmp_path / "preds.csv")
    assert str(caught.value) == f"{tmp_path / 'preds.csv'}: no such file; check the name and the folder"


def test_folder_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="is a folder; name a file in it"):
        read_predictions(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_unreadable_file_is_refused_with_the_systems_reason(tmp_path):
    # A link to itself cannot be opened even by root, whom permissions do not stop.
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(InputFileError, match="cannot be read: Too many levels of symbolic links"):
        read_predictions(loop)
    with pytest.raises(InputFileError, match=r"no such file|cannot be read: Not a directory"):
        read_predictions("/dev/null/preds.csv")


def test_name_with_a_null_byte_is_refused():
    with pytest.raises(InputFileError, match=r"^a\\x00b: cannot be read: embedded null byte$"):
        read_predictions("a\0b")


def test_what_is_no_path_and_no_binary_file_is_refused():
    with pytest.raises(BiomarkError, match="expected a path, '-' or a binary file object, found int"):
        read_predictions(3)
    with pytest.raises(BiomarkError, match="path must be text"):
        read_predictions(os.fsdecode("x").encode() and _BytesPath())
    with pytest.raises(BiomarkError, match="must be opened in binary mode"):
        read_predictions(io.StringIO("a,b"))


class _BytesPath(os.PathLike):
    def __fspath__(self):
        return b"preds.csv"


@pytest.mark.parametrize(
    "content", [b"", b"\n\r\n  \t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", gzip.compress(b"", mtime=0)]
)
def test_empty_file_is_refused(content):
    assert refusal(content) == "the file is empty; expected a header and at least one row"


@pytest.mark.parametrize("keep", [12, -1, -8, -12])
def test_truncated_gzip_is_refused(keep):
    packed = gzip.compress(TEXT * 50)
    assert refusal(packed[:keep]) == (
        "the gzip data stop before their end: the file is truncated; copy it again"
    )


def test_damaged_gzip_is_refused():
    packed = bytearray(gzip.compress(os.urandom(1000)))
    packed[500] ^= 0xFF
    assert refusal(bytes(packed)).startswith("the gzip data are damaged (")
    packed = bytearray(gzip.compress(TEXT))
    packed[12] ^= 0xFF
    assert refusal(bytes(packed)).startswith("the gzip data are damaged (")


def test_text_beyond_the_limit_is_refused_without_inflating_it_all():
    with pytest.raises(InputFileError, match="holds more than 1,000 bytes, the most that is read"):
        read_bytes(io.BytesIO(b"x" * 1001), limit=1000)
    assert len(read_bytes(io.BytesIO(b"x" * 1000), limit=1000).content) == 1000
    # 200 MiB of zeros in 200 kB: the reader stops after its first piece.
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join([*(packer.compress(bytes(2**20)) for _ in range(200)), packer.flush()])
    assert len(bomb) < 2**20
    with pytest.raises(InputFileError, match=r"more than 1,048,576 bytes after decompression"):
        read_bytes(io.BytesIO(bomb), limit=2**20)


def test_endless_input_is_refused_at_the_limit():
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    with pytest.raises(InputFileError, match="holds more than"):
        read_bytes(Endless(), limit=10**6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"PK\x03\x04rest",
            "is an Excel workbook or another ZIP archive; save the sheet as 'CSV UTF-8'" + EXPECTED,
        ),
        (b"\xd0\xcf\x11\xe0\xa1", "is an old Excel or Word file; save the sheet as 'CSV UTF-8'" + EXPECTED),
        (
            "\ufeffa,b\n".encode("utf-16-le"),
            "is UTF-16 text (Excel's 'Unicode Text'); save it as 'CSV UTF-8'" + EXPECTED,
        ),
        (
            gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0),
            "is gzip inside gzip; decompress it once" + EXPECTED,
        ),
        (b"%PDF-1.7 rest", "is a PDF" + EXPECTED),
        (bytes(257) + b"ustar", "is a tar archive; unpack it" + EXPECTED),
        (
            b"a,b\n1,\x00\n",
            "row 2: is not text: byte 0x00 at position 6; expected CSV or TSV text, plain or gzip, or Parquet",
        ),
    ],
)
def test_other_formats_are_refused_by_name(content, message):
    assert refusal(content) == message


def test_damaged_parquet_is_refused(tmp_path):
    path = tmp_path / "preds.parquet"
    pd.DataFrame({"patient_id": ["a"] * 100, "label": "ER", "y_true": 1, "y_score": range(100)}).to_parquet(
        path
    )
    whole = path.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], b"PAR1", b"PAR1" + bytes(50) + b"PAR1"):
        assert refusal(content).startswith("the Parquet data are damaged (")
    pages = bytearray(whole)
    pages[4:60] = bytes(56)
    assert refusal(bytes(pages)).startswith("the Parquet data are damaged (")


def test_parquet_of_too_many_rows_is_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "preds.parquet"
    pd.DataFrame({"patient_id": range(10), "label": "ER", "y_true": 1, "y_score": 1.0}).to_parquet(path)
    monkeypatch.setattr("biomark.stats.parquet_table.MOST_ROWS", 9)
    assert refusal(path.read_bytes()) == (
        "holds 10 rows of 4 columns; at most 9 rows and 10,000 columns are read"
    )


def test_gzipped_parquet_is_read(tmp_path):
    path = tmp_path / "preds.parquet"
    pd.DataFrame({"patient_id": ["a"], "label": "ER", "y_true": 1, "y_score": 1.0}).to_parquet(path)
    assert read_predictions(io.BytesIO(gzip.compress(path.read_bytes()))).labels == ("ER",)


def test_parquet_on_a_disk_is_read_column_by_column_and_hashed(tmp_path, monkeypatch):
    path = tmp_path / "preds.parquet"
    frame = pd.DataFrame(
        {"patient_id": ["a ", "b"], "label": "ER", "y_true": [1, 0], "y_score": [0.5, 0.2], "note": "x"}
    )
    frame.to_parquet(path)
    monkeypatch.setattr("biomark.stats.predictions.read_bytes", None)
    found = read_predictions(path)
    assert found.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.frame["patient_id"].tolist() == ["a", "b"]
    assert found.frame["note"].tolist() == ["x", "x"]


def test_parquet_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "preds.parquet"
    pd.DataFrame({"patient_id": ["a"]}).to_parquet(path)
    with pytest.raises(InputFileError, match="changed while it was read"), open_parquet(path):
        os.utime(path, ns=(1, 1))


def test_problems_of_parquet_are_told_as_those_of_text(tmp_path):
    rows = {"patient_id": ["a", "a", "", None], "label": ["ER"] * 4, "y_true": ["1", "0", "2", "yes"]}
    frame = pd.DataFrame(rows | {"y_score": ["0.5", "x", "", "inf"]})
    frame.to_parquet(tmp_path / "preds.parquet")
    frame.to_csv(tmp_path / "preds.csv", index=False)
    told = []
    for name in ("preds.parquet", "preds.csv"):
        with pytest.raises(InputFileError) as caught:
            read_predictions(tmp_path / name)
        told.append([str(problem) for problem in caught.value.problems])
    assert told[0] == told[1]
    assert len(told[0]) > 6
