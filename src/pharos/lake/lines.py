"""Splits a block of a log into lines and cuts each line to its JSON text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pharos.lake.columns import Numbers

OPENING_BRACE, CLOSING_BRACE, LINE_END = b"{}\n"
_IS_SPACE = np.isin(np.arange(256), list(b" \t\r\n\x0b\x0c"))


class Lines:
    """The lines of a block, from a position on."""

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data, self._start = data, start
        self._ends: list[int] = []
        self.texts: list[bytes | memoryview] = []  # from the first `{`; empty if there is none or no UTF-8
        view, find = memoryview(data), data.find
        while start < len(data):
            end = find(b"\n", start)
            if end < 0:
                end = len(data)
            brace = start if data[start] == OPENING_BRACE else find(b"{", start, end)
            if brace < 0:
                self.texts.append(b"")
            elif data[end - 1] == CLOSING_BRACE:
                self.texts.append(view[brace:end])  # not copied: that takes as long as all else here
            else:
                self.texts.append(data[brace:end].rstrip())
            self._ends.append(end)
            start = end + 1
        for number in self._not_utf8():
            self.texts[number] = b""

    def whole(self, number: int) -> bytes:
        """A line without its line end."""
        begin = self._ends[number - 1] + 1 if number else self._start
        return self._data[begin : self._ends[number]]

    def _not_utf8(self) -> Iterator[int]:
        data, start = self._data, self._start
        if data.isascii():
            return
        while start < len(data):
            try:
                str(memoryview(data)[start:], "utf-8")
            except UnicodeDecodeError as error:
                number = bisect_left(self._ends, start + error.start)
                yield number
                start = self._ends[number] + 1
            else:
                return


def without_blank(lines: bytes) -> tuple[bytes, Numbers]:
    """The lines that are not blank, each with its line end, and their numbers, counted from 1."""
    if lines.isspace():
        return b"", np.array([], np.int64)
    data = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(data == LINE_END)
    starts = np.concatenate(([0], ends[:-1] + 1))
    is_kept = np.logical_or.reduceat(~_IS_SPACE[data], starts)
    kept = data[np.repeat(is_kept, ends - starts + 1)].tobytes()
    return kept, np.flatnonzero(is_kept) + 1


def short_lines(lines: bytes, limit: int) -> tuple[pa.DictionaryArray, bytes, Numbers]:
    """Split lines by length: texts below the limit, all other lines, and a boolean per line (true: short)."""
    data = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(data == LINE_END)
    lengths = np.diff(ends, prepend=-1) - 1
    is_short = lengths < limit
    is_of_short = np.repeat(is_short, lengths + 1)
    offsets = np.concatenate(([0], np.cumsum(lengths[is_short]))).astype(np.int32)
    texts = data[is_of_short & (data != LINE_END)].tobytes()
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(texts)]
    array = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)
    return array.dictionary_encode(), data[~is_of_short].tobytes(), is_short
