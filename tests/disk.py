"""A disk that loses power: what a program did to files is recorded, and any state a crash may leave is built.

What is written to a file is on disk for certain only after an `fsync` of the file, and a name only after one
of its folder. Everything else may be there or not. The program is watched by `strace`: so it does not matter
which library writes.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_CALLS = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,"
    "mkdirat,rmdir,lseek,ftruncate,truncate,fallocate,sendfile,copy_file_range,link,linkat,symlink"
)
_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")
_ARGUMENT = re.compile(
    r'"((?:\\x[0-9a-f]{2})*)"|(-?\d+)<((?:\\x[0-9a-f]{2})*)>|AT_FDCWD<((?:\\x[0-9a-f]{2})*)>|([\w|]+)'
)
FOLDER = -1


@dataclass(frozen=True)
class Call:
    """A system call that succeeded: its name, arguments (texts as bytes, files as paths) and result."""

    name: str
    arguments: tuple[bytes | int | str | Path, ...]
    result: int
    descriptor: int


def record(command: Sequence[str], trace: Path) -> list[Call]:
    """Run a program to its good end; what it and its children did to files."""
    line = [
        "strace",
        "-f",
        "-y",
        "-xx",
        "-s",
        "100000000",
        "-o",
        str(trace),
        "-e",
        f"trace={_CALLS}",
        *command,
    ]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(_calls(trace))


def _calls(trace: Path) -> Iterator[Call]:
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                continue
            thread, resumed, name, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                begun[thread] = f"{name}({rest.removesuffix('<unfinished ...>')}"
                continue
            if resumed:
                name, rest = (begun.pop(thread) + rest).split("(", 1)
            text, _, result = rest.rpartition(" = ")
            number = re.match(r"(-?\d+)", result)
            if number and int(number[1]) >= 0 and name:
                yield _call(name, text, int(number[1]))


def _call(name: str, text: str, result: int) -> Call:
    arguments: list[bytes | int | str | Path] = []
    descriptor = -1
    for literal, number, path, working, word in _ARGUMENT.findall(text):
        if number:
            descriptor = int(number) if descriptor < 0 else descriptor
            arguments.append(Path(_bytes(path).decode()))
        elif working:
            arguments.append(Path(_bytes(working).decode()))
        elif word:
            arguments.append(int(word) if word.isdecimal() else word)
        else:
            arguments.append(_bytes(literal))
    return Call(name, tuple(arguments), result, descriptor)


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


@dataclass
class Disk:
    """Files below a root, as programs see them and as they are on disk for certain."""

    root: Path
    names: dict[Path, int] = field(default_factory=dict)
    safe_names: dict[Path, int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)
    safe_contents: dict[int, bytes] = field(default_factory=dict)
    positions: dict[tuple[int, Path], int] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> Disk:
        """A disk that holds what there is, all of it for certain."""
        disk = cls(root)
        for path in sorted(root.rglob("*")):
            disk.names[path] = FOLDER
            if path.is_file():
                disk.names[path] = disk._new()
                disk.contents[disk.names[path]] += path.read_bytes()
                disk.safe_contents[disk.names[path]] = path.read_bytes()
        disk.safe_names = dict(disk.names)
        return disk

    def do(self, call: Call) -> bool:  # noqa: C901, PLR0911 - a case for each call
        """Let a call take place; whether it changed anything below the root."""
        path = self._path(call)
        if path is None or not path.is_relative_to(self.root):
            return False
        match call.name:
            case "openat":
                return self._open(path, call)
            case "lseek":
                self.positions[call.descriptor, path] = call.result
                return False
            case "write":
                position = self.positions.get((call.descriptor, path), 0)
                self.positions[call.descriptor, path] = position + call.result
                return self._write(path, position, call)
            case "pwrite64":
                return self._write(path, int(str(call.arguments[-1])), call)
            case "ftruncate":
                return self._truncate(path, int(str(call.arguments[-1])))
            case "fsync" | "fdatasync":
                self._sync(path)
            case "rename":
                target = Path(bytes(call.arguments[1]).decode())  # type: ignore[arg-type]
                self.names[target] = self.names.pop(path)
            case "link":
                target = Path(bytes(call.arguments[1]).decode())  # type: ignore[arg-type]
                self.names[target] = self.names[path]
            case "unlink" | "rmdir" | "unlinkat":
                self.names.pop(path, None)
            case "mkdir":
                self.names[path] = FOLDER
            case other:
                raise AssertionError(f"{other} {path}: say in `tests/disk.py` what it does")
        return True

    def crash(self, target: Path, draw: random.Random, *, keeps: float) -> None:
        """Build what may be on disk now: of what is not certain, about a share `keeps` is there."""
        folders = {self.root, *(path for path, node in self.names.items() if node == FOLDER)}
        folders |= {path for path, node in self.safe_names.items() if node == FOLDER}
        kept = {folder for folder in sorted(folders) if draw.random() < keeps}
        there = {
            path: node
            for names, is_kept in ((self.names, True), (self.safe_names, False))
            for path, node in names.items()
            if (path.parent in kept) == is_kept
        }
        target.mkdir(parents=True)
        for path, node in sorted(there.items()):
            copy = target / path.relative_to(self.root)
            if copy.parent.is_dir():
                if node == FOLDER:
                    copy.mkdir()
                else:
                    copy.write_bytes(self._content(node, draw, keeps))

    def _content(self, node: int, draw: random.Random, keeps: float) -> bytes:
        now = bytes(self.contents[node])
        if draw.random() < keeps:
            return now
        return self.safe_contents.get(node, draw.choice([b"", bytes(len(now)), now[: len(now) // 2]]))

    def _path(self, call: Call) -> Path | None:
        if not call.arguments:
            return None
        first, *others = call.arguments
        if isinstance(first, bytes):
            return Path(first.decode())
        if call.name in {"openat", "unlinkat", "renameat2", "mkdirat"} and isinstance(others[0], bytes):
            return Path(str(first)) / others[0].decode()
        return first if isinstance(first, Path) else None

    def _new(self) -> int:
        number = len(self.contents)
        self.contents[number] = bytearray()
        return number

    def _open(self, path: Path, call: Call) -> bool:
        flags = str(call.arguments[2]).split("|")
        if "O_DIRECTORY" in flags or self.names.get(path) == FOLDER or "O_TMPFILE" in flags:
            return False
        is_new = path not in self.names
        if is_new:
            self.names[path] = self._new()
        if "O_TRUNC" in flags:
            self.contents[self.names[path]].clear()
        end = len(self.contents[self.names[path]]) if "O_APPEND" in flags else 0
        self.positions[call.result, path] = end
        return is_new or "O_TRUNC" in flags

    def _write(self, path: Path, position: int, call: Call) -> bool:
        if path not in self.names:
            return False  # of a file without a name any more
        data = next(argument for argument in call.arguments if isinstance(argument, bytes))[: call.result]
        content = self.contents[self.names[path]]
        content.extend(bytes(max(0, position - len(content))))
        content[position : position + len(data)] = data
        return True

    def _truncate(self, path: Path, size: int) -> bool:
        content = self.contents[self.names[path]]
        content.extend(bytes(max(0, size - len(content))))
        del content[size:]
        return True

    def _sync(self, path: Path) -> None:
        node = FOLDER if path == self.root else self.names.get(path)
        if node is None:
            return
        if node != FOLDER:
            self.safe_contents[node] = bytes(self.contents[node])
            return
        for name in [name for name in self.safe_names if name.parent == path]:
            del self.safe_names[name]
        self.safe_names |= {name: node for name, node in self.names.items() if name.parent == path}
