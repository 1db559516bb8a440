"""Sessions of Insights that were ended early: a copy of their cookie is then worthless on every replica.

Only for Insights, which has no database; not part of the documented API.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import FastAPI, Path, Request, Response
from pydantic import BaseModel

from pharos.data_api.access import Caller, OfCallers
from pharos.data_api.errors import Forbidden
from pharos.data_api.formats import as_json
from pharos.data_api.reading import ResultStore
from pharos.result_store.connecting import translated
from pharos.result_store.tables import sign_outs

LONGEST = timedelta(days=1)  # that a session may have to live; longer ones are kept no longer
SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,64}$")]


def mount(app: FastAPI) -> None:
    """Add the address."""
    for method, function in (("GET", is_signed_out), ("PUT", sign_out)):
        app.router.add_api_route(
            "/api/v1/sign_outs/{session}/",
            function,
            methods=[method],
            include_in_schema=False,
            route_class_override=OfCallers,
        )


class SignOut(BaseModel):
    """`until`: when the session would have ended by itself, seconds since 1970."""

    until: int


def is_signed_out(request: Request, session: SessionId) -> Response:
    """Whether the session was ended."""
    store = _store(request)
    found = store.rows(sa.select(sign_outs.c.session).where(sign_outs.c.session == session))
    return Response(as_json({"signed_out": bool(found)}), media_type="application/json")


def sign_out(request: Request, session: SessionId, asked: SignOut) -> Response:
    """The session is ended from now on. Twice is as good as once."""
    now = datetime.now(UTC)
    until = min(now + LONGEST, datetime.fromtimestamp(min(asked.until, 2**32), UTC))
    _store(request).told(lambda engine: _keep(engine, session, now, until))
    return Response(status_code=204)


def _keep(engine: sa.Engine, session: str, now: datetime, until: datetime) -> None:
    """Record that the session was ended, and delete records of sessions that have expired."""
    known = sa.select(sign_outs.c.session).where(sign_outs.c.session == session)
    with translated(engine) as connection, connection.begin():
        connection.execute(sa.delete(sign_outs).where(sign_outs.c.until < now.replace(tzinfo=None)))
        if connection.execute(known).first() is None:
            connection.execute(sa.insert(sign_outs).values(session=session, until=until.replace(tzinfo=None)))


def _store(request: Request) -> ResultStore:
    """The store, for callers who may read everything, such as Insights. Raises Forbidden for all other
    callers.
    """
    caller: Caller = request.state.caller
    if not caller.reads_everything:
        raise Forbidden("This token is not that of Insights.")
    store: ResultStore = request.app.state.stores["v0"]
    return store
