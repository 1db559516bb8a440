"""Ends database connections that stay open but send nothing, as a frozen server does.

The C libraries with which DuckDB reads databases wait forever. Their sockets belong to this process, and
Linux records when each socket last received data: a thread checks this, and shuts the sockets down when all
of them have been silent for too long. The library then reports a lost connection.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from stat import S_ISSOCK
from termios import FIONREAD
from time import monotonic

OPEN_FILES = Path("/proc/self/fd")
TCP_INFO_BYTES, LAST_RECEIVED = 104, 52  # of `struct tcp_info`, and where its milliseconds stand in it
LOOKS_S = 1.0  # between two looks, at most


class Watched:
    """The connections that this process opens to a port from now on."""

    def __init__(self, port: int) -> None:
        self._port = port
        with _connected(port) as connections:
            self._before = {connection.getsockname() for connection in connections}

    @contextmanager
    def at_most(self, silent_s: float) -> Iterator[Callable[[], bool]]:
        """Inside, connections that are silent for `silent_s` seconds are ended; the value tells if that
        happened.
        """
        done, ended = threading.Event(), threading.Event()
        began = monotonic()

        def watch() -> None:
            while not done.wait(min(LOOKS_S, silent_s / 2)):
                if monotonic() - began >= silent_s:
                    self._end_if_silent(silent_s, ended)

        thread = threading.Thread(target=watch, name="silence")
        thread.start()
        try:
            yield ended.is_set
        finally:
            done.set()
            thread.join()

    def _end_if_silent(self, silent_s: float, ended: threading.Event) -> None:
        """End the connections if all have been silent for `silent_s` seconds."""
        with _connected(self._port) as connections:
            ours = [each for each in connections if each.getsockname() not in self._before]
            if not ours or any(_silent_s(each) < silent_s for each in ours):
                return
            ended.set()  # before the library notices: its caller checks the event at once
            for connection in ours:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def _connected(port: int) -> Iterator[list[socket.socket]]:
    """Copies of all sockets of this process that are connected to the port."""
    with ExitStack() as copies:
        found = []
        for file in OPEN_FILES.iterdir() if OPEN_FILES.is_dir() else ():
            with suppress(OSError):  # closed meanwhile, or not connected
                number = int(file.name)
                if S_ISSOCK(os.fstat(number).st_mode):
                    copy = copies.enter_context(socket.socket(fileno=os.dup(number)))
                    if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getpeername()[1] == port:
                        found.append(copy)
        yield found


def _silent_s(connection: socket.socket) -> float:
    """Seconds since data was last received; 0 if unread data waits, or if unknown."""
    if struct.unpack("i", ioctl(connection, FIONREAD, bytes(4)))[0]:
        return 0.0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    milliseconds: int = struct.unpack_from("I", info, LAST_RECEIVED)[0]
    return milliseconds / 1000
