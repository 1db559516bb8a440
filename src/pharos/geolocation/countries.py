"""Looks up many addresses at once: they walk the search tree of an `.mmdb` file together, bit by bit.

The format is public (MaxMind DB File Format Specification 2.0). Records are read by the library.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, TypeAlias

import maxminddb
import numpy as np

UNKNOWN = "UNKNOWN"
IN_PLACE = "country:"  # begins a text that has taken the place of an address, and names its country
_WRAPPED = bytes(10) + b"\xff\xff"  # an IPv6 address that begins so only wraps an IPv4 address

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Countries:
    """The countries of a database file, held open.

    Private addresses get the country `private`; some database files have entries for them, which are ignored.
    """

    def __init__(self, path: str, private: str = UNKNOWN) -> None:
        self._reader = maxminddb.open_database(path)
        metadata = self._reader.metadata()
        self._tree = _tree(path, metadata.node_count, metadata.record_size)
        self._roots = {4: 0, 16: 0}  # by bytes of an address: where in the tree it begins
        if metadata.ip_version == 6:  # noqa: PLR2004
            self._roots[4] = int(self._walk(np.zeros((1, 12), np.uint8), 0)[0])
        else:
            del self._roots[16]
        self._private = metadata.node_count + 1  # no record has this end
        self._codes = {metadata.node_count: UNKNOWN, self._private: private}  # by end of the walk

    def of(self, addresses: Sequence[str | None]) -> list[str | None]:
        """ISO 3166 alpha-2 codes; UNKNOWN for an invalid address or one without a country; None for None.

        A text that has replaced an address gives the country that it contains.
        """
        packed = [b"" if address is None else _packed(address.strip()) for address in addresses]
        codes = [None if address is None else _named(address) for address in addresses]
        for size, root in self._roots.items():
            rows = [row for row, address in enumerate(packed) if len(address) == size]
            joined = b"".join(packed[row] for row in rows)
            numbers = np.frombuffer(joined, np.uint8).reshape(-1, size)
            ends = self._walk(numbers, root)
            ends[_are_private(numbers)] = self._private
            for row, end in zip(rows, ends.tolist(), strict=True):
                if end not in self._codes:
                    self._codes[end] = self._code(packed[row])
                codes[row] = self._codes[end]
        return codes

    def _code(self, packed: bytes) -> str:
        family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6  # noqa: PLR2004
        return _code(self._reader.get(socket.inet_ntop(family, packed))) or UNKNOWN

    def _walk(self, addresses: Numbers, root: int) -> Numbers:
        """For each address, a row of bytes, the final value of its walk through the tree from `root`."""
        nodes = np.full(len(addresses), root, np.uint32)
        for depth in range(8 * addresses.shape[1]):
            inside = np.flatnonzero(nodes < len(self._tree))
            if not len(inside):
                break
            bits = (addresses[inside, depth // 8] >> (7 - depth % 8)) & 1
            nodes[inside] = self._tree[nodes[inside], bits]
        return nodes


def _named(text: str) -> str:
    return text.removeprefix(IN_PLACE) if text.startswith(IN_PLACE) else UNKNOWN


def _tree(path: str, nodes: int, bits: int) -> Numbers:
    """For each node its two children; a value that is not a node ends the walk, with or without a record."""
    data = np.fromfile(path, np.uint8, nodes * bits // 4).reshape(nodes, bits // 4)
    if bits == 32:  # noqa: PLR2004
        return data.view(">u4").astype(np.uint32)
    high = np.zeros((nodes, 2), np.uint8)
    if bits == 28:  # noqa: PLR2004 - the byte in the middle has the high halves of both
        high[:, 0], high[:, 1] = data[:, 3] >> 4, data[:, 3] & 15
        data = np.delete(data, 3, axis=1)
    both = np.concatenate([high[:, :, None], data.reshape(nodes, 2, 3)], axis=2)
    return np.ascontiguousarray(both).view(">u4")[:, :, 0].astype(np.uint32)


def _packed(address: str) -> bytes:
    """The packed address; an IPv4-mapped IPv6 address becomes IPv4; `b''` if invalid."""
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return b""
    return packed[12:] if packed.startswith(_WRAPPED) else packed


def _are_private(addresses: Numbers) -> Numbers:
    """RFC 1918 and RFC 4193: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7."""
    first, second = addresses[:, 0], addresses[:, 1]
    found: Numbers = first >> 1 == 0xFC >> 1
    if addresses.shape[1] == 4:  # noqa: PLR2004
        found = (first == 10) | (first == 172) & (second >> 4 == 1) | (first == 192) & (second == 168)  # noqa: PLR2004
    return found


def _code(record: object) -> str | None:
    """The code in a record: vendors write `{"country_code": "IE"}` or `{"country": {"iso_code": "IE"}}`."""
    if not isinstance(record, dict):
        return None
    nested = record.get("country") or record.get("registered_country")
    code = record.get("country_code") or (nested.get("iso_code") if isinstance(nested, dict) else nested)
    return code.strip().upper() or None if isinstance(code, str) else None
