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
    count: int | None
    chosen: int | None = None
    """Learners who chose the language for the LMS; None where nobody has chosen one, or it is hidden."""
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
    """The part of a page about languages; None where none is known. `found`: findings of the course."""
    told = sorted(
        (row for row in learners if row["language"] and (row["count"] or row["chosen"])),
        key=lambda row: (-(row["count"] or 0), -(row["chosen"] or 0)),
    )
    if not told:
        return None
    every = [
        Readers(
            words.language(row["language"]),
            row["count"],
            row["chosen"],
            row["language"],
            transcripts=tuple(item for item in transcripts if primary(item["language"]) == row["language"]),
        )
        for row in told
    ]
    named, rest = every[:MOST_SHOWN], told[MOST_SHOWN:]
    unknown = [row for row in learners if not row["language"] and (row["count"] or row["chosen"])]
    others = Readers(words.text("Other languages"), _sum(rest, "count"), _sum(rest, "chosen"))
    rows = [
        *named,
        *([others] if rest else ()),
        *(Readers(words.text("Not known"), row["count"], row["chosen"], is_known=False) for row in unknown),
    ]
    known, chose = _sum(told, "count") or 0, _sum(told, "chosen") or 0
    addresses = files(course, FILE)
    return Languages(
        words.text("Languages"),
        words.text(
            "By the language that the browser of each learner asked for last (the header Accept-Language), "
            "and by the one that a learner chose for the LMS."
        ),
        words.sentences(
            *_answer(words, named, known, has_transcripts=bool(transcripts)),
            *_chosen(words, every, chose),
            *(findings.sentence(words, row) for row in findings.of_kind(found, "transcripts_unused")),
        ),
        fixed(words.text("Languages of learners"), _columns(words, known, chose, transcripts), rows),
        addresses["csv"],
        addresses["xlsx"],
    )


def _sum(rows: Sequence[Row], name: str) -> int | None:
    """The sum of what is counted; None where nothing is."""
    counts = [row[name] for row in rows if row[name] is not None]
    return sum(counts) if counts else None


def _answer(words: Language, named: Sequence[Readers], known: int, *, has_transcripts: bool) -> list[Markup]:
    """The most frequent languages of browsers, and which of them lack transcripts."""
    if not known:
        return []
    top = [item for item in named[:MOST_NAMED] if item.count]
    first = words.htmls(
        "The browser of %(n)s learner names a language: %(languages)s.",
        "The browsers of %(n)s learners name a language: %(languages)s.",
        known,
        languages=_shares(words, [(item.name, item.count or 0) for item in top], known),
    )
    if not has_transcripts:
        return [first]
    lacking = [strong(item.name) for item in top if item.lacks_transcripts]
    if not lacking:
        return [first, words.html("Every video has transcripts in these languages.")]
    second = words.html(
        "Some videos, or all, have no transcript in %(languages)s.",
        languages=Markup(words.enumeration(lacking)),  # noqa: S704 - escaped above
    )
    return [first, second]


def _chosen(words: Language, every: Sequence[Readers], chose: int) -> list[Markup]:
    """The languages that most learners chose for the LMS."""
    chosen = sorted(((item.name, item.chosen) for item in every if item.chosen), key=lambda item: -item[1])
    if not chosen:
        return []
    said = words.htmls(
        "%(n)s learner has chosen a language for the learning platform: %(languages)s.",
        "%(n)s learners have chosen a language for the learning platform: %(languages)s.",
        chose,
        languages=_shares(words, chosen[:MOST_NAMED], chose),
    )
    return [said]


def _shares(words: Language, counts: Sequence[tuple[str, int]], whole: int) -> Markup:
    """The names with their shares, as an enumeration."""
    shares = [Markup("{} ({})").format(strong(name), words.percent(n / whole)) for name, n in counts]
    return Markup(words.enumeration(shares))  # noqa: S704 - escaped above


def _columns(words: Language, known: int, chose: int, transcripts: Sequence[Row]) -> list[Column[Readers]]:
    def share(item: Readers, count: int | None, whole: int) -> str:
        return words.percent(count / whole) if item.is_known and count is not None and whole else ""

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
        Column(
            "share",
            words.text("Share of known"),
            lambda item: item.count,
            lambda item: share(item, item.count, known),
            optional=True,
        ),
    ]
    if chose:
        columns += [
            Column(
                "chosen",
                words.text("Chose it for the LMS"),
                lambda item: item.chosen,
                lambda item: words.number(item.chosen),
            ),
            Column(
                "chosen_share",
                words.text("Share of chosen"),
                lambda item: item.chosen,
                lambda item: share(item, item.chosen, chose),
                optional=True,
            ),
        ]
    if transcripts:
        columns.append(
            Column("videos", words.text("Transcripts"), lambda item: item.name, videos, numeric=False)
        )
    return columns
