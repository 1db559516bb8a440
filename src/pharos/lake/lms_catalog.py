"""The optional course catalog: titles, dates, programs of the discovery service; snapshots. `spec 04 §4`"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pyarrow as pa

from pharos.config import LMS
from pharos.engine import Engine
from pharos.lake import lms_tables, snapshots
from pharos.lake.lake import Lake
from pharos.lake.lms_courses import FRESH, PATIENCE_S
from pharos.lake.snapshots import TableState
from pharos.lms.errors import LMSError
from pharos.lms.rest import LMSClient, moment, one_line
from pharos.lms.tables import ANSWERS

TABLES = ("course_catalog", "program_course")
PAGE_SIZE = 100


def import_catalog(lake: Lake, engine: Engine, lms: LMS, *, fresh: timedelta = FRESH) -> list[TableState]:
    """Bring the catalog up to date; the lake must be locked. Needs `lms.catalog_url`.

    The service is not asked while the imported data is younger than `fresh`. Does not raise if the service
    fails: the state of each table has the problem.
    """
    started = snapshots.now()
    before = [snapshots.state(lake, table) for table in TABLES]
    if all(state.is_newer(started - fresh) for state in before):
        return before
    try:
        runs = asyncio.run(_ask(lms))
    except LMSError as error:
        return [snapshots.failed(lake, table, str(error)) for table in TABLES]
    new = {"course_catalog": list(_catalog(runs)), "program_course": list(_programs(runs))}
    return [
        lms_tables.replace(lake, engine, table, _sorted(table, rows), str(lms.catalog_url), started)
        for table, rows in new.items()
    ]


async def _ask(lms: LMS) -> list[dict[str, Any]]:
    """The course runs of all partners, each once. Raises LMSError."""
    address = f"{str(lms.catalog_url).rstrip('/')}/course_runs/"
    runs: dict[str, dict[str, Any]] = {}
    async with httpx.AsyncClient(timeout=lms.timeout_s) as http:
        client = LMSClient(lms, http, PATIENCE_S)
        for partner in lms.catalog_partners or [""]:
            parameters = {"page_size": str(PAGE_SIZE), "exclude_utm": "1"}
            found = await client.listed(address, parameters | ({"partner": partner} if partner else {}))
            runs |= {str(run["key"]): run for run in found if run.get("key")}
    return list(runs.values())


def _catalog(runs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for run in runs:
        start, end = moment(run.get("start")), moment(run.get("end"))
        yield {
            "course_id": str(run["key"]),
            "catalog_course": one_line(run.get("course")) or "",
            "catalog_course_title": one_line(run.get("title")),
            "start_time": start and start.replace(tzinfo=None),
            "end_time": end and end.replace(tzinfo=None),
            "pacing_type": one_line(run.get("pacing_type")),
            "availability": one_line(run.get("availability")),
        }


def _programs(runs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row per course run and program, each once. spec 01 §5.8"""
    seen = set()
    for run in runs:
        programs = run.get("programs")
        for program in programs if isinstance(programs, list) else []:
            if not isinstance(program, dict) or not program.get("uuid"):
                continue
            pair = str(run["key"]), str(program["uuid"])
            if pair not in seen:
                seen.add(pair)
                yield {
                    "course_id": pair[0],
                    "program_id": pair[1],
                    "program_type": one_line(program.get("type")) or "",
                    "program_title": one_line(program.get("title")),
                }


def _sorted(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    in_order = [(name, "ascending") for name in ANSWERS[table].schema.names[:2]]
    return pa.Table.from_pylist(rows, ANSWERS[table].schema).sort_by(in_order)
