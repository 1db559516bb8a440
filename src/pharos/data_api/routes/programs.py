"""Programs of courses (spec 05 §7.2)."""

from functools import cache
from itertools import groupby
from typing import Annotated, NotRequired, cast

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller
from pharos.data_api.parameters import Asked
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.routing import Subject
from pharos.data_api.times import zulu
from pharos.result_store import tables

subject = Subject("Programs")

PARAMETERS = {
    "program_ids": "Ids of programs, separated by commas; none: all.",
    "fields": "Keys to show, separated by commas.",
    "exclude": "Keys to leave out; wins over fields.",
}


class Program(TypedDict):
    program_id: NotRequired[str]
    program_type: NotRequired[Annotated[str, Field(examples=["MicroMasters"])]]
    program_title: NotRequired[str | None]
    course_ids: NotRequired[list[str]]
    created: NotRequired[Annotated[str, Field(description="UTC.", examples=["2031-03-02T04:05:07Z"])]]


_table = tables.course_program_metadata
SHOWN = ("course_id", "program_id", "program_type", "program_title", "created")


@cache
def _of_all(*, is_published: bool) -> OfEdition:
    order = _table.c.course_id if is_published else _table.c.id
    return OfEdition(sa.select(*(_table.c[name] for name in SHOWN)).order_by(_table.c.program_id, order))


@subject.get("programs/", reads=[_table], parameters=PARAMETERS, post=True, one_statement=True)
def programs(asked: Asked, caller: Caller, store: Reading) -> list[Program]:
    """Programs by id, and their courses by id."""
    ids = asked.list("program_ids")
    wanted = None if ids is None else frozenset(ids)
    rows = [
        row
        for row in store.rows(_of_all(is_published=store.is_published(_table)))
        if caller.may_read(row["course_id"]) and (wanted is None or row["program_id"] in wanted)
    ]
    found = [
        _program(program_id, list(group))
        for program_id, group in groupby(rows, key=lambda row: str(row["program_id"]))
    ]
    return cast("list[Program]", asked.shown(found))


def _program(program_id: str, rows: list[sa.RowMapping]) -> Program:
    return {
        "program_id": program_id,
        "program_type": rows[-1]["program_type"],
        "program_title": rows[-1]["program_title"],
        "course_ids": [row["course_id"] for row in rows],
        "created": zulu(max(row["created"] for row in rows)),
    }
