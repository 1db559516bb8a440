"""Python work in processes on this machine; loads no engine."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import ModuleType

from pharos.engine.base import Item, Output

# A process takes a batch after the other, each of much the same size: giving memory back to the system in
# between and asking for it again takes a tenth of its time. All memory comes from the C library, which keeps
# what is let go of; and linear algebra, which nobody does here, needs no threads.
_MEMORY_IS_KEPT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "OPENBLAS_NUM_THREADS": "1",
}


class Processes:
    """See `pharos.engine.base.Workers`."""

    def __init__(self, processors: int | None) -> None:
        """`processors`: the number of processes; None means one per processor of the machine."""
        self.processors = processors or os.cpu_count() or 1

    def map(self, function: Callable[[Item], Output], items: Sequence[Item]) -> Iterator[Output]:
        """See the protocol. A single item is computed in this process."""
        if len(items) < 2 or self.processors < 2:  # noqa: PLR2004
            yield from map(function, items)
            return
        # Spawned, not forked: a fork would copy an engine's locks while its threads hold them.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            min(self.processors, len(items)), mp_context=context, initializer=_begin
        ) as pool:
            with _beginning():
                results = pool.map(function, items)  # begins the processes
            yield from results

    def close(self) -> None:
        """See the protocol. Nothing to do: the processes end with the work."""


@contextmanager
def _beginning() -> Iterator[None]:
    """While processes start: sets their environment, and hides the main program, which they would import."""
    before = {name: os.environ.get(name) for name in _MEMORY_IS_KEPT}
    program = sys.modules["__main__"]
    os.environ.update(_MEMORY_IS_KEPT)
    # Spawned processes import the module called `__main__` first. Their functions are never defined there.
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    """Called in each process: end it when the run is killed; otherwise it would wait and keep its memory."""
    gc.freeze()  # objects loaded so far are never garbage
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
