"""What lies packed in a file."""

import base64
import binascii
import re
import zipfile
import zlib
from contextlib import suppress

import pyarrow.parquet as pq


def unpacked(path):
    """What a file holds; archives, tables, and packed parts of a PDF or a page unpacked."""
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())
    for start in re.finditer(rb"stream\r?\n", content) if path.suffix == ".pdf" else ():
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(content[start.end() :])
    for part in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", content) if path.suffix == ".html" else ():
        with suppress(binascii.Error):
            yield base64.b64decode(part)
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield f"{table.schema.to_string(truncate_metadata=False)}\n{table.to_pydict()}".encode()
