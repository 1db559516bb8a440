"""Languages of learners' browsers and accounts, and of transcripts of videos. Ours: the original has none."""

from functools import cache
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.lists import Listed
from pharos.data_api.reading import Reading
from pharos.data_api.routes.enrollment import Course, Created, Day
from pharos.data_api.routing import Subject
from pharos.result_store import tables

subject = Subject("Languages")
learners, transcripts = tables.course_enrollment_language_current, tables.course_transcript_language
chosen = tables.course_enrollment_chosen_language_current


class LanguageOfLearners(TypedDict):
    course_id: Course
    date: Day
    language: Annotated[str | None, Field(description="ISO 639 code; null: not known.", examples=["es"])]
    count: Annotated[int, Field(description="Learners enrolled.")]
    created: Created


class LanguageOfTranscripts(TypedDict):
    course_id: Course
    language: Annotated[str, Field(description="Code as in the LMS.", examples=["pt-br"])]
    videos: Annotated[int, Field(description="Videos with a transcript in the language.")]
    course_videos: Annotated[int, Field(description="All videos of the course run.")]
    created: Created


@subject.get(
    "courses/{course_id:course}/enrollment/language/",
    reads=[learners],
    file_name="enrollment_language",
    versions=("v1",),
    one_statement=True,
)
def enrollment_by_language(course_id: CourseID, store: Reading) -> list[LanguageOfLearners]:
    """Learners of the last day by the language that their browser asks for; most first, null last."""
    return _by_language(_of_browsers(), store, course_id)


@subject.get(
    "courses/{course_id:course}/enrollment/chosen_language/",
    reads=[chosen],
    file_name="enrollment_chosen_language",
    versions=("v1",),
    one_statement=True,
)
def enrollment_by_chosen_language(course_id: CourseID, store: Reading) -> list[LanguageOfLearners]:
    """Learners of the last day by the language that they chose for the LMS; most first, null last."""
    return _by_language(_of_accounts(), store, course_id)


@subject.get(
    "courses/{course_id:course}/transcript_languages/",
    reads=[transcripts],
    file_name="transcript_languages",
    versions=("v1",),
    one_statement=True,
)
def transcript_languages(course_id: CourseID, store: Reading) -> list[LanguageOfTranscripts]:
    """Videos that have a transcript, by its language; most first."""
    rows = _of_transcripts().rows(store, are_many=False, course_id=course_id)
    return [
        {
            "course_id": course_id,
            "language": language,
            "videos": videos,
            "course_videos": course_videos,
            "created": created,
        }
        for language, videos, course_videos, created in rows
    ]


def _by_language(listed: Listed, store: Reading, course_id: str) -> list[LanguageOfLearners]:
    rows = listed.rows(store, are_many=False, course_id=course_id)
    return [
        {"course_id": course_id, "date": day, "language": language, "count": count, "created": created}
        for day, language, count, created in rows
    ]


@cache
def _of_browsers() -> Listed:
    return _listed(learners)


@cache
def _of_accounts() -> Listed:
    return _listed(chosen)


def _listed(results: sa.Table) -> Listed:
    table = results.c
    order = [table.language.is_(None), table["count"].desc(), table.language, table.id]
    shown = [table.date, table.language, table["count"], table.created]
    return Listed(shown, table.course_id == sa.bindparam("course_id"), order=order)


@cache
def _of_transcripts() -> Listed:
    table = transcripts.c
    shown = [table.language, table.videos, table.course_videos, table.created]
    order = [table.videos.desc(), table.language, table.id]
    return Listed(shown, table.course_id == sa.bindparam("course_id"), order=order)
