"""Languages of learners' browsers, compared with the languages of the videos' transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pharos.insights import findings
from pharos.insights.api import Row
from pharos.insights.controls import files
from pharos.insights.directory import Course
from pharos.insights.language import Language, primary
from pharos.insights.reports import Languages, strong
from pharos.insights.tables import Column, fixed

MOST_SHOWN, MOST_NAMED = 10, 3
FILE = "enrollment/language"


@dataclass(frozen=True)
class Readers:
    """Learners whose browser requests one language. An empty code groups all further languages, or no
    language.
    """

    name: str
    count: int
    code: str = ""
    is_known: bool = True
    transcripts: tuple[Row, ...] = ()
    """Of its variants, the one of most videos first."""

    @property
    def lacks_transcripts(self) -> bool:
        """True if some videos have no transcript in this language."""
        return not self.transcripts or self.transcripts[0]["videos"] < self.transcripts[0]["course_videos"]


def languages_of(
    words: Language,
    course: Course,
    learners: Sequence[Row],
    transcripts: Sequence[Row],
    found: Sequence[findings.Row],
) -> Languages | None:
    """The part of a page about languages; None where no browser told one. `found`: findings of the course."""
    told = sorted(
        (row for row in learners if row["language"] and row["count"]), key=lambda row: -row["count"]
    )
    known = sum(row["count"] for row in told)
    if not known:
        return None
    named = [
        Readers(
            words.language(row["language"]),
            row["count"],
            row["language"],
            transcripts=tuple(item for item in transcripts if primary(item["language"]) == row["language"]),
        )
        for row in told[:MOST_SHOWN]
    ]
    others, unknown = known - sum(item.count for item in named), sum(r["count"] for r in learners) - known
    rows = [
        *named,
        *([Readers(words.text("Other languages"), others)] if others else ()),
        *([Readers(words.text("Not known"), unknown, is_known=False)] if unknown else ()),
    ]
    addresses = files(course, FILE)
    return Languages(
        words.text("Languages"),
        words.text(
            "By the language that the browser of each learner asked for last (the header Accept-Language); "
            "it may differ from the language of the LMS that a learner chose."
        ),
        words.sentences(
            _answer(words, named, known, has_transcripts=bool(transcripts)),
            *(findings.sentence(words, row) for row in findings.of_kind(found, "transcripts_unused")),
        ),
        fixed(words.text("Languages of learners"), _columns(words, known, transcripts), rows),
        addresses["csv"],
        addresses["xlsx"],
    )


def _answer(words: Language, named: Sequence[Readers], known: int, *, has_transcripts: bool) -> Markup:
    """The most frequent languages, and which of them lack transcripts."""
    top = named[:MOST_NAMED]
    shares = [Markup("{} ({})").format(strong(item.name), words.percent(item.count / known)) for item in top]
    first = words.htmls(
        "The browser of %(n)s learner names a language: %(languages)s.",
        "The browsers of %(n)s learners name a language: %(languages)s.",
        known,
        languages=Markup(words.enumeration(shares)),  # noqa: S704 - escaped above
    )
    if not has_transcripts:
        return first
    lacking = [strong(item.name) for item in top if item.lacks_transcripts]
    if not lacking:
        return words.sentences(first, words.html("Every video has transcripts in these languages."))
    second = words.html(
        "Some videos, or all, have no transcript in %(languages)s.",
        languages=Markup(words.enumeration(lacking)),  # noqa: S704 - escaped above
    )
    return words.sentences(first, second)


def _columns(words: Language, known: int, transcripts: Sequence[Row]) -> list[Column[Readers]]:
    def share(item: Readers) -> str:
        return words.percent(item.count / known) if item.is_known else ""

    def videos(item: Readers) -> Markup:
        if not item.code:
            return Markup("")
        if not item.transcripts:
            return words.html("no video")
        parts = [
            words.html(
                "%(videos)s of %(all)s videos",
                videos=words.number(row["videos"]),
                all=words.number(row["course_videos"]),
            )
            for row in item.transcripts
        ]
        if len(parts) == 1:
            return parts[0]
        variants = zip((row["language"] for row in item.transcripts), parts, strict=True)
        return Markup("<br>").join(Markup("<bdi>{}</bdi>: {}").format(*variant) for variant in variants)

    columns: list[Column[Readers]] = [
        Column(
            "language", words.text("Language"), lambda item: item.name, lambda item: item.name, numeric=False
        ),
        Column(
            "count", words.text("Learners"), lambda item: item.count, lambda item: words.number(item.count)
        ),
        Column("share", words.text("Share of known"), lambda item: item.count, share, optional=True),
    ]
    if transcripts:
        columns.append(
            Column("videos", words.text("Transcripts"), lambda item: item.name, videos, numeric=False)
        )
    return columns
