"""A lease: makes one process the only writer of a lake in a store without locks, and registers readers.

A writer owns a file in `.lease` whose number is one more than that of the previous writer, and rewrites it
regularly while it runs. A process that finds the newest file to be old takes the next number, which only one
process can get. If a writer was merely slow and not dead, the numbers of commits stop it: its successor
writes a commit before anything else, and no number can be written twice. The age of a file is measured by the
store's clock only, and correctness depends on no clock.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Protocol

from pharos.errors import Busy, PharosError
from pharos.lake.place import Hold

log = logging.getLogger(__name__)
LEASE_S = 60.0  # a writer that was silent for so long has lost its lease
BEATS = 4  # so often within that time it is renewed
LEASES, READERS = ".lease", ".readers"
_RELEASED = b"released\n"


class PlaceUnfit(PharosError):
    """The store cannot exclude a second writer."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address

    def __str__(self) -> str:
        return (
            f"{self.address}: this store wrote over a file though it was told not to (`If-None-Match: *`), "
            "so that two runs could overwrite each other's commits; nothing was written. Keep the lake in a "
            "folder, or in a store that knows conditional writes"
        )


class Store(Protocol):
    """The operations that a lease needs; a part of `pharos.lake.place.Place`."""

    @property
    def address(self) -> str:
        """The address as shown to people."""

    def read(self, name: str) -> bytes:
        """The content of a small file."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""

    def put_new(self, name: str, data: bytes) -> None:
        """Write a new file. Raises FileExistsError if it exists."""

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""

    def written(self, folder: str) -> dict[str, datetime]:
        """File name -> time when it was last written, by the store's clock, for all files of a folder."""


class Lease(Hold):
    """The lease file of a writer. Made by `held`."""

    def __init__(self, store: Store, number: int, *, is_taken_over: bool) -> None:
        self._store, self._name = store, f"{LEASES}/{number:010d}"
        self._who = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}\n".encode()
        self._renewed = _now()
        self._is_lost = False
        self.number, self.is_taken_over = number, is_taken_over

    def take(self, before: list[str]) -> None:
        """Get the next number, or raise Busy; remove the files of earlier writers. Raises PlaceUnfit."""
        try:
            self._store.put_new(self._name, self._who)
        except FileExistsError:
            raise _busy(self._store) from None
        _see_refused(self._store, self._name)
        if self._has_successor():  # this number is an old one, whose file was removed
            raise _busy(self._store)
        for name in before:
            self._store.remove(name)

    def renew(self) -> None:
        """Show that this writer still runs; if another writer has taken over, mark the lease as lost."""
        started = _now()
        if self._has_successor():
            self._is_lost = True
        else:
            self._store.put(self._name, self._who)
            self._renewed = started

    def check(self) -> None:
        """See `Hold`."""
        if not self._is_lost and _now() - self._renewed > LEASE_S:
            self.renew()
        if self._is_lost:
            raise Busy(
                f"{self._store.address}: this run was silent for more than {LEASE_S:.0f} seconds, and "
                "another one took its place. What it had committed counts; it stopped there"
            )

    def release(self) -> None:
        """End the lease, so that the next writer can begin at once."""
        if not self._is_lost:
            self._store.put(self._name, _RELEASED)

    def _has_successor(self) -> bool:
        return max(self._store.written(LEASES), default="") > self._name


@contextmanager
def held(store: Store) -> Iterator[Lease]:
    """Be the only writer. Raises Busy, PlaceUnfit."""
    written = store.written(LEASES)
    last = max(written, default=None)
    is_released = last is None or store.read(last) == _RELEASED
    if last is not None and not is_released and not _is_old(store, written[last]):
        raise _busy(store)
    number = 1 if last is None else int(last.rpartition("/")[2]) + 1
    lease = Lease(store, number, is_taken_over=not is_released)
    lease.take(list(written))
    with ExitStack() as stack:
        stack.callback(_quietly, lease.release)
        stack.enter_context(_again_and_again(lease.renew))
        yield lease


@contextmanager
def reading(store: Store) -> Iterator[None]:
    """Register as a reader, so that nothing is cleared meanwhile."""
    name, data = f"{READERS}/{uuid.uuid4().hex}", socket.gethostname().encode()
    store.put(name, data)
    with ExitStack() as stack:
        stack.callback(_quietly, lambda: store.remove(name))
        stack.enter_context(_again_and_again(lambda: store.put(name, data)))
        yield


@contextmanager
def clearing(store: Store) -> Iterator[None]:
    """Raise Busy if somebody is reading. Readers that start later do not use the files to be cleared."""
    for name, written in store.written(READERS).items():
        if not _is_old(store, written):
            raise Busy(f"{store.address}: somebody is reading")
        store.remove(name)
    yield


def try_out(store: Store) -> None:
    """Test beside the lake that the store refuses to overwrite. Raises PlaceUnfit, Unreachable."""
    name = f".check/{uuid.uuid4().hex}"
    store.put_new(name, b"")
    try:
        _see_refused(store, name)
    finally:
        store.remove(name)


def _see_refused(store: Store, name: str) -> None:
    """Raise PlaceUnfit if the store overwrites a file despite the condition."""
    with suppress(FileExistsError):
        store.put_new(name, b"again\n")
        raise PlaceUnfit(store.address)


def _is_old(store: Store, written: datetime) -> bool:
    """True if a file was not rewritten for longer than a lease lasts, by the clock of the store."""
    name = f".clock/{uuid.uuid4().hex}"
    store.put(name, b"")
    try:
        return (store.written(".clock")[name] - written).total_seconds() > LEASE_S
    finally:
        store.remove(name)


@contextmanager
def _again_and_again(renew: Callable[[], None]) -> Iterator[None]:
    """Call a function in a background thread, several times per lease period."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(LEASE_S / BEATS):
            _quietly(renew)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _quietly(call: Callable[[], None]) -> None:
    """Call and only log errors: if renewing fails, the file grows old and the lease is lost."""
    try:
        call()
    except (OSError, PharosError) as error:
        log.warning("%s", error)


def _busy(store: Store) -> Busy:
    return Busy(f"{store.address}: another run is writing; this one did nothing")


def _now() -> float:
    """Seconds of a clock that also counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
