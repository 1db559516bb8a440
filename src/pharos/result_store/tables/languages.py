"""Languages: of learners' browsers, and of the transcripts of videos."""

from __future__ import annotations

from sqlalchemy import Integer, Table

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, day, result


def _of_learners(name: str, definition: Definition, *, null: str) -> Table:
    """A table of the learners of the last day by their language. `null`: what a missing language means."""
    return result(
        name,
        definition,
        day("UTC day: the last one of the run."),
        course_id(),
        column("language", Exact(3), f"ISO 639 code in lower case; null is {null}."),
        column("count", Integer(), "Learners enrolled.", nullable=False),
        stamp="date",
        key=("course_id", "date", "language"),
        indexes=(("course_id",),),
    )


course_enrollment_language_current = _of_learners(
    "course_enrollment_language_current",
    Definition(
        title="Enrollment by language",
        version=1,
        meaning="Learners enrolled in each course run by the language that their browser asks for.",
        formula=(
            "Enrollment of the last day, grouped by the language of the learner's latest event whose "
            "Accept-Language header names one: the primary subtag of its first range, pt of pt-BR,pt;q=0.9."
        ),
        edge_cases=(
            "One language for all courses of a learner: that of the latest event anywhere on the site.",
            "The first range counts, whatever the weights: browsers write the preferred language first.",
            "Variants are one language: pt-BR and pt-PT are pt, zh-Hans and zh-Hant are zh.",
            "null: no event of the learner names a language, as those of apps often do not.",
        ),
        window="The last day.",
        source=(
            "Enrollment events of the tracking logs; the header Accept-Language of all events of a person."
        ),
        spec="01 §1.2",
        differences=(
            "Ours: the original counts no languages.",
            (
                "This is the browser's language; the one that a learner chose for the LMS is in "
                "course_enrollment_chosen_language_current."
            ),
        ),
    ),
    null="unknown",
)

course_enrollment_chosen_language_current = _of_learners(
    "course_enrollment_chosen_language_current",
    Definition(
        title="Enrollment by chosen language",
        version=1,
        meaning="Learners enrolled in each course run by the language that they chose for the LMS.",
        formula=(
            "Enrollment of the last day, grouped by the learner's preference pref-lang: its primary subtag, "
            "es of es-419."
        ),
        edge_cases=(
            "Variants are one language: es-419 and es-es are es.",
            "null: the learner has chosen none, and sees the LMS in its own or in the browser's language.",
            "Without the LMS's database every language is null.",
        ),
        window="The last day; preferences as of the latest import.",
        source="Enrollment events of the tracking logs; the LMS table user_api_userpreference.",
        spec="07 §1.7",
        differences=("Ours: the original counts no languages.",),
    ),
    null="none",
)

course_transcript_language = result(
    "course_transcript_language",
    Definition(
        title="Languages of transcripts",
        version=2,
        meaning="Videos of each course run that have a transcript, by the language of the transcript.",
        formula="Videos of the course run in the LMS's list of videos, counted once for each language.",
        edge_cases=(
            "Videos that are hidden in Studio are left out.",
            "Of a course run without videos in that list, those of its outline are counted.",
            "Videos made with a YouTube address alone are in the LMS's list once they have a transcript.",
            "A course run whose videos have no transcript has no row.",
        ),
        window="As of the latest import.",
        source="The LMS tables edxval_coursevideo and edxval_videotranscript; the outline of the course.",
        spec="07 §3.9",
        differences=("Ours: the original knows no transcripts.",),
    ),
    course_id(),
    column("language", Exact(50), "Code of the language as the LMS writes it, e.g. pt-br.", nullable=False),
    column("videos", Integer(), "Videos with a transcript in the language.", nullable=False),
    column("course_videos", Integer(), "All videos of the course run.", nullable=False),
    may_shrink=True,
    key=("course_id", "language"),
    indexes=(("course_id",),),
)
