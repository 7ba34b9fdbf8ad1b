"""A small file of a picture that fills the memory of whoever decodes it."""

import struct
import zlib


def black_png(side):
    """A black square as PNG, one bit a pixel: written row by row, never in memory."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()])
    head = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
