"""A deadline for the whole of an exchange, whatever the other side does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tests.apart import run

from pharos.http_client import DeadlineClient


async def drip() -> AsyncIterator[bytes]:
    """A byte now and then: no single step takes long."""
    for _ in range(1000):
        yield b"x"
        await asyncio.sleep(0.02)


def test_an_answer_that_drips_ends_with_the_deadline(serve: Callable[[Any], str]) -> None:
    app = FastAPI()
    app.add_api_route("/", lambda: StreamingResponse(drip()))
    app.add_api_route("/quick", lambda: "all of it")
    url = serve(app)

    async def scene() -> str:
        async with DeadlineClient(0.3) as client:
            with pytest.raises(httpx.ReadTimeout, match=r"no whole answer in 0\.3 s"):
                await client.get(url)
            return (await client.get(f"{url}/quick")).text

    assert run(scene()) == '"all of it"'
