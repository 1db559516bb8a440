"""Streams whole result tables, or the rows of one course, with constant memory."""

import asyncio
import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from itertools import chain
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from fastapi import FastAPI, Path, Query, Request, Response

from pharos.data_api.access import SCHEME, Caller, OfCallers, OfTableReaders
from pharos.data_api.cache import accepts_gzip
from pharos.data_api.errors import Forbidden, IllegalParameter, NoData, NoRoute, NotAcceptable
from pharos.data_api.formats import CSV, JSON, NDJSON, PARQUET, Format, as_json, attachment, cell, chosen
from pharos.data_api.parameters import Between, Range, check_characters, check_choices
from pharos.data_api.paths import SUFFIX
from pharos.data_api.privacy import Privacy
from pharos.data_api.reading import of_request
from pharos.data_api.routing import documented_errors, note_unknown_parameters, provenance
from pharos.data_api.streaming import Stream, Streamed, gzipped
from pharos.data_api.times import zulu
from pharos.result_store import contract
from pharos.result_store.column_types import equal
from pharos.result_store.publications import Publication
from pharos.result_store.tables import ABOUT_LEARNERS, RESULTS

ROWS_AT_ONCE = 5_000
GROUP_ROWS = 100_000  # in a row group of Parquet

Rows = Sequence[sa.RowMapping]
Columns = Sequence[sa.Column[Any]]
Writer = Callable[[Iterator[Rows], Columns], Iterator[bytes]]


def mount(app: FastAPI) -> None:
    """Add the address of the exports."""
    kinds = (JSON, CSV, NDJSON, PARQUET)
    app.router.add_api_route(
        "/api/v1/tables/{table}/",
        export,
        tags=["Exports"],
        operation_id="v1_get_table",
        response_class=Response,
        responses={
            200: {"description": "The rows.", "content": {kind.accept: {} for kind in kinds}},
            **documented_errors(),
        },
        openapi_extra={"security": [{SCHEME: []}]},
        route_class_override=OfTableReaders,
    )
    app.router.add_api_route(
        "/api/v1/tables/",
        listed,
        tags=["Exports"],
        operation_id="v1_get_tables",
        response_class=Response,
        response_model=None,
        responses={200: {"description": "Tables with their columns."}, **documented_errors()},
        openapi_extra={"security": [{SCHEME: []}]},
        route_class_override=OfCallers,
    )


async def listed(request: Request) -> Response:
    """The tables that may be exported by the caller: name, title, number of rows, columns.

    `history_until`: rows of days up to this one were counted by edX Insights; null: all by Pharos.
    """
    caller: Caller = request.state.caller
    published = await of_request(request).published.get()
    learners = request.app.state.settings.learners and caller.learners
    tables = [
        {
            "table": str(name),
            "title": table.info["definition"].title,
            "about_learners": name in ABOUT_LEARNERS,
            "rows": published[name].row_count if name in published and caller.reads_everything else None,
            "history_until": _history_until(published.get(name)),
            "columns": [str(column.name) for column in contract.columns(table)],
        }
        for name, table in sorted(RESULTS.items())
        if (learners or name not in ABOUT_LEARNERS) and (caller.reads_everything or "course_id" in table.c)
    ]
    return Response(as_json(tables), media_type="application/json")


def _history_until(publication: Publication | None) -> str | None:
    until = publication.history_until if publication else None
    return until.isoformat() if until else None


async def export(
    request: Request,
    table: Annotated[str, Path(description="Table of the catalogue.", examples=["course_enrollment_daily"])],
    days: Range,
    course_id: Annotated[str | None, Query(description="Only the rows of this course.")] = None,
    columns: Annotated[str | None, Query(description="Only these columns, separated by commas.")] = None,
    format_: Annotated[str | None, Query(alias="format", description="json, csv, ndjson or parquet.")] = None,
) -> Response:
    """All rows of a result table, in the order of its key; `/api/v1/tables/` lists the tables.

    `start_date` and `end_date` (not included) choose rows by their `date` or `interval_start`.
    """
    caller, store, found = request.state.caller, of_request(request), RESULTS.get(table)
    if found is None:
        raise NoRoute
    check_characters(request)
    wanted = chosen(request.headers.get("accept", ""), request.scope.get(SUFFIX), format_ or None)
    if wanted not in WRITERS:
        raise NotAcceptable
    _check(found, caller)
    there = await asyncio.to_thread(store.columns, found)
    shown = _shown(found, there, columns)
    published = await store.published.get()
    privacy = request.app.state.privacy if table in ABOUT_LEARNERS else None
    order = _order(found, shown, privacy, is_published=table in published)
    statement = _in_days(_chosen(found, shown, caller, course_id), found, days).order_by(*order)
    if privacy is not None and "course_id" in found.c:
        statement = statement.where(privacy.allowed(found.c.course_id))
    headers = {"Vary": "Accept, Authorization, Accept-Encoding"}
    if wanted is not JSON:
        headers["Content-Disposition"] = attachment(f"{table}.{wanted.name}")
    headers |= provenance(published, [found])
    rows = store.chunks(statement, ROWS_AT_ONCE)
    if privacy is not None:
        rows = _as_shown(rows, shown, privacy)
    chunks = _written(rows, WRITERS[wanted], shown)
    if wanted is not PARQUET and accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        chunks = gzipped(chunks)
    stream = await Stream.opened(request.app.state.exports, caller.name, chunks)
    if stream is None:
        raise NoData
    answer = Streamed(stream, headers, wanted.content_type)
    note_unknown_parameters(request, answer)
    return answer


def _check(table: sa.Table, caller: Caller) -> None:
    if "course_id" not in table.columns and not caller.reads_everything:
        raise Forbidden("This token may not read a table of all courses.")


def _shown(table: sa.Table, there: set[str], names: str | None) -> Columns:
    """The columns with these names, or all. Raises IllegalParameter.

    A table of the original may lack columns that the original does not serve.
    """
    known = {column.name: column for column in contract.columns(table) if column.name in there}
    wanted = [name.strip() for name in names.split(",")] if names else list(known)
    check_choices("columns", wanted, known)
    return [known[name] for name in dict.fromkeys(wanted)]


def _in_days(statement: sa.Select[Any], table: sa.Table, days: Between) -> sa.Select[Any]:
    """The rows of a range of days. Raises IllegalParameter for a table without days."""
    if days.is_open:
        return statement
    column = next((table.c[name] for name in ("date", "interval_start") if name in table.c), None)
    if column is None:
        raise IllegalParameter(f"{table.name} has no days that start_date and end_date could choose.")
    if days.first_day:
        statement = statement.where(column >= days.first_day)
    return statement.where(column < days.end_day) if days.end_day else statement


def _chosen(table: sa.Table, shown: Columns, caller: Caller, course_id: str | None) -> sa.Select[Any]:
    statement = sa.select(*shown)
    if "course_id" in table.columns:
        statement = statement.where(caller.sees(table.c.course_id))
        if course_id:
            statement = statement.where(equal(table.c.course_id, course_id))
    elif course_id:
        raise NoData
    return statement


def _as_shown(chunks: Generator[Rows], shown: Columns, privacy: Privacy) -> Generator[Rows]:
    """The rows, with hidden values of learners masked."""
    with closing(chunks):
        for rows in chunks:
            found = privacy.rows(shown, (tuple(row.values()) for row in rows))
            yield [row._mapping for row in found]  # noqa: SLF001 - public by its documentation


def _order(
    table: sa.Table, shown: Columns, privacy: Privacy | None, *, is_published: bool
) -> Sequence[sa.ColumnElement[Any]]:
    """The key, or all columns of a table without a key; for rows of another program their `id`, if any."""
    if privacy is not None and privacy.is_pseudonymous:
        privacy.check_order(table)
        return [privacy.order(table)]
    if not is_published and not table.info["by_day"] and "id" in table.c:
        return [table.c.id]
    return [table.c[name] for name in table.info["key"]] or shown


def _written(chunks: Generator[Rows], write: Writer, shown: Columns) -> Generator[bytes]:
    """The rows in the chosen format; no bytes if there are no rows."""
    with closing(chunks):
        first = next(chunks, None)
        if first is not None:
            yield from write(chain([first], chunks), shown)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return zulu(value)
    return value.isoformat() if isinstance(value, date) else value


def _item(row: sa.RowMapping) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _json(chunks: Iterator[Rows], _: Columns) -> Iterator[bytes]:
    before = b"["
    for rows in chunks:
        yield before + b",".join(as_json(_item(row)) for row in rows)
        before = b","
    yield b"]"


def _ndjson(chunks: Iterator[Rows], _: Columns) -> Iterator[bytes]:
    for rows in chunks:
        yield b"".join(as_json(_item(row)) + b"\n" for row in rows)


def _csv(chunks: Iterator[Rows], shown: Columns) -> Iterator[bytes]:
    """Columns in the order of the table, or in the requested order."""
    names = [column.name for column in shown]
    head: list[Sequence[Any]] = [names]
    for rows in chunks:
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerows(head)
        writer.writerows([cell(_plain(row[name])) for name in names] for row in rows)
        yield out.getvalue().encode()
        head = []


def _parquet(chunks: Iterator[Rows], shown: Columns) -> Iterator[bytes]:
    """A row group per GROUP_ROWS rows, sent when it is complete."""
    whole = contract.schema(shown[0].table)
    schema = pa.schema([whole.field(column.name) for column in shown])
    sink, waiting = _Drained(), list[pa.Table]()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema) as writer:
        for rows in chunks:
            waiting.append(pa.Table.from_pylist([dict(row) for row in rows], schema))
            if sum(table.num_rows for table in waiting) >= GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
                yield sink.drained()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    yield sink.drained()


class _Drained(io.RawIOBase):
    """A file whose content is removed while it is written; it remembers only its length."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def drained(self) -> bytes:
        found, self._parts = b"".join(self._parts), []
        return found


WRITERS: dict[Format, Writer] = {
    JSON: _json,
    CSV: _csv,
    NDJSON: _ndjson,
    PARQUET: _parquet,
}
