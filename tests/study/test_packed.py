"""What no output may hold is looked for in what is packed too."""

import base64
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readers.packed import unpacked

WORD = "wolkenhaven"


def in_an_archive(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", WORD * 99)


def in_a_pdf(path):
    path.write_bytes(b"stream\n" + zlib.compress(WORD.encode() * 99))


def in_a_page(path):
    packed = base64.b64encode(f"RIFF {WORD}".encode()).decode()
    path.write_text(f"<img src='data:image/webp;base64,{packed}'>")


def in_a_table(path):
    table = pa.table({"a": [WORD * 99]})
    pq.write_table(table, path, compression="gzip", write_statistics=False)


def in_a_column(path):
    column = pa.field("a", pa.int64(), metadata={"by": WORD})
    pq.write_table(pa.table({"a": [1]}, schema=pa.schema([column])), path)


@pytest.mark.parametrize(
    ("pack", "suffix"),
    [
        (in_an_archive, ".npz"),
        (in_a_pdf, ".pdf"),
        (in_a_page, ".html"),
        (in_a_table, ".parquet"),
        (in_a_column, ".parquet"),
    ],
)
def test_what_is_packed_is_looked_at(tmp_path, pack, suffix):
    path = tmp_path / f"packed{suffix}"
    pack(path)
    assert WORD.encode() not in path.read_bytes()
    assert any(WORD.encode() in content for content in unpacked(path))
