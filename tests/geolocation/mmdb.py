"""Writes small databases in MaxMind's format: every size of records, both versions of addresses."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

Record = dict[str, Any]
MARKER = b"\xab\xcd\xefMaxMind.com"


class Short(int):
    """A number of two bytes."""


class Long(int):
    """A number of eight bytes."""


def write(
    path: Path, networks: dict[str, Record], *, bits: int = 24, version: int = 6, kind: str = "Country"
) -> Path:
    """A database with these records; networks must not overlap. IPv4 ones lie at ::/96 of version 6."""
    data, offsets = b"", {}
    nodes: list[list[int | str | None]] = [[None, None]]
    for text, record in networks.items():
        offsets[text] = len(data)
        data += _encoded(record)
        network = ip_network(text)
        inside = 128 if version == 6 else 32
        width = inside if network.version == version else network.max_prefixlen
        prefix = network.prefixlen + (inside - width)
        number = int(network.network_address)
        node = 0
        for depth in range(prefix):
            bit = number >> (inside - 1 - depth) & 1
            if depth == prefix - 1:
                nodes[node][bit] = text
                continue
            following = nodes[node][bit]
            if following is None:
                following = nodes[node][bit] = len(nodes)
                nodes.append([None, None])
            assert isinstance(following, int), f"{text} lies in {following}"
            node = following
    count = len(nodes)

    def value(target: int | str | None) -> int:
        if target is None:
            return count
        return target if isinstance(target, int) else count + 16 + offsets[target]

    tree = b"".join(_node(value(left), value(right), bits) for left, right in nodes)
    metadata = {
        "node_count": count, "record_size": Short(bits), "ip_version": Short(version), "database_type": kind,
        "languages": [], "binary_format_major_version": Short(2), "binary_format_minor_version": Short(0),
        "build_epoch": Long(1), "description": {},
    }  # fmt: skip
    path.write_bytes(tree + bytes(16) + data + MARKER + _encoded(metadata))
    return path


def _node(left: int, right: int, bits: int) -> bytes:
    if bits == 28:
        middle = (left >> 24) << 4 | right >> 24
        return left.to_bytes(4)[1:] + bytes([middle]) + right.to_bytes(4)[1:]
    return left.to_bytes(bits // 8) + right.to_bytes(bits // 8)


def _encoded(value: Any) -> bytes:
    if isinstance(value, dict):
        members = (_encoded(name) + _encoded(member) for name, member in value.items())
        return bytes([7 << 5 | len(value)]) + b"".join(members)
    if isinstance(value, str):
        text = value.encode()
        return bytes([2 << 5 | len(text)]) + text
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_encoded, value))
    if isinstance(value, Short):
        return bytes([5 << 5 | 2]) + value.to_bytes(2)
    if isinstance(value, Long):
        return bytes([8, 9 - 7]) + value.to_bytes(8)
    return bytes([6 << 5 | 4]) + int(value).to_bytes(4)
