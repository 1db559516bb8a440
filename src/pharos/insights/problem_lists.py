"""Pages that list problems, or groups of problems: sentence, figures, bars of right and wrong, table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import Request
from markupsafe import Markup

from pharos.insights.answers import cut
from pharos.insights.blocks import back_to, caption_of_lowest, in_path, linked, name_in_list
from pharos.insights.charts import Chart
from pharos.insights.controls import files
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.navigation import Report
from pharos.insights.outline import Block, Outline, key_of
from pharos.insights.problem_counts import NOTHING, Counts, Line, counts_of, hardest, total
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, State, about, strong
from pharos.insights.site import Site
from pharos.insights.tables import Column, Table, table

PAGE_SIZE = 25
MOST_BARS = 14
"""Bars that a chart has room for."""
LONGEST_QUOTED = 60
"""Characters of an answer in a sentence."""
FILE, TAGS_FILE = "performance/problems", "performance/learning_outcomes"
NOT_TOLD = noop(
    "The learning platform does not tell how this course is built, so its problems are listed by their ids."
)


@dataclass(frozen=True)
class Counted:
    """Texts that describe the counts of a page."""

    right: Callable[[Language, Counts], Markup]
    of: Callable[[Language, int], str]
    name: str
    note: str
    per_problem: str
    caption: str


def _right_answers(words: Language, counts: Counts) -> Markup:
    return words.htmls(
        "<strong>%(share)s</strong> of %(n)s answer was right.",
        "<strong>%(share)s</strong> of %(n)s answers were right.",
        counts.total,
        share=words.percent(counts.share),
    )


def _right_submissions(words: Language, counts: Counts) -> Markup:
    return words.htmls(
        "<strong>%(share)s</strong> of %(n)s submission was right.",
        "<strong>%(share)s</strong> of %(n)s submissions were right.",
        counts.total,
        share=words.percent(counts.share),
    )


ANSWERS = Counted(
    _right_answers,
    lambda words, n: words.texts("of %(n)s answer", "of %(n)s answers", n),
    noop("Answers"),
    noop("the last ones"),
    noop("Answers per problem"),
    noop("Share of right answers, of last answers"),
)
SUBMISSIONS = Counted(
    _right_submissions,
    lambda words, n: words.texts("of %(n)s submission", "of %(n)s submissions", n),
    noop("Submissions"),
    noop("every attempt"),
    noop("Submissions per problem"),
    noop("Share of right submissions, of all attempts"),
)


@dataclass(frozen=True)
class Listing:
    """The contents of a list page."""

    course: Course
    report: Report
    head: str
    """Of the first column: what a line is."""
    caption: str
    """Of the table."""
    lines: Sequence[Line]
    problems: Sequence[Line]
    """All problems in the lines, the lines themselves on the lowest level."""
    answered: Counts
    """The sum over the problems, each counted once."""
    nothing: str
    """Why there are no lines, where there are none."""
    trail: tuple[Link, ...] = ()
    question: str = ""
    title: str = ""
    note: str = ""
    counted: Counted = ANSWERS
    file: str = FILE
    further_file: Markup | str = ""

    @property
    def holds_problems(self) -> bool:
        """True if lines are groups of problems, not single problems."""
        return self.lines is not self.problems


async def counts_and_outline(site: Site, course: Course) -> tuple[dict[str, Counts], Outline | None]:
    """The answers of each problem, and the outline of the course, if the LMS gives it."""
    rows, outline = await asyncio.gather(
        site.api.problems(course.course_id), site.directory.outline(course.course_id)
    )
    return counts_of(rows), outline


def problem_path(course: Course, problem_id: str, place: str = "performance/") -> str:
    """The address of the page of a problem: below a page of the course, or on its own."""
    return f"{course.path}{place}problems/{in_path(problem_id)}/"


def problem_lines(
    problems: Sequence[Block], counts: dict[str, Counts], address: Callable[[str], str]
) -> list[Line]:
    """A line for each problem; linked if it has answers."""
    lines = []
    for order, block in enumerate(problems, 1):
        found = counts.get(block.id, NOTHING)
        lines.append(Line(order, block.name, found, address(block.id) if found.total else ""))
    return lines


def untold(words: Language, course: Course, report: Report, counts: dict[str, Counts]) -> Listing:
    """All answered problems in one list by id, if the LMS gives no outline."""
    lines = [
        Line(order, key_of(problem_id), found, problem_path(course, problem_id), note=problem_id)
        for order, (problem_id, found) in enumerate(counts.items(), 1)
    ]
    return Listing(
        course=course,
        report=report,
        head=words.text("Problem"),
        caption=words.text("Problems"),
        lines=lines,
        problems=lines,
        answered=total(counts, counts),
        nothing=words.text("Nothing has been answered yet."),
        note=words.text(NOT_TOLD) if lines else "",
    )


def list_page(request: Request, listing: Listing) -> ReportPage:
    """The page; without answers, a page that says so and lists the problems."""
    words: Language = request.state.language
    names = about(request, listing.report) | {"trail": listing.trail}
    names |= {name: text for name in ("question", "title", "note") if (text := getattr(listing, name))}
    if not listing.lines or not listing.answered.total:
        state = no_answers_state(words, listing.course, listing.trail)
        return ReportPage(**names, answer=_no_answers(words, listing), empty=state)
    return ReportPage(
        **names,
        answer=sentence(words, listing),
        figures_label=words.text("Problem metrics"),
        figures=_figures(words, listing),
        chart=_chart(words, listing),
        table=_table(request, words, listing),
        further_file=listing.further_file,
        **files(listing.course, listing.file),
    )


def sentence(words: Language, listing: Listing) -> Markup:
    """The share of right answers, and the hardest problem."""
    right = listing.counted.right(words, listing.answered)
    line = hardest(listing.problems)
    if line is None:
        return right
    name = linked(line.href, line.name)
    hard = words.html(
        "The hardest problem is %(problem)s, with %(share)s.",
        problem=name,
        share=strong(words.percent(line.counts.share)),
    )
    return words.sentences(right, hard)


def given(words: Language, text: str | None) -> Markup:
    """An answer as written by learners, shortened if it is long."""
    if not text:
        return Markup('<span class="quiet">{}</span>').format(words.text("(empty)"))
    return Markup('<bdi class="given">{}</bdi>').format(cut(text))


def mark(words: Language, correct: bool | None) -> Markup:
    """A tick and "right", or "wrong" in grey, or a dash if unknown."""
    if correct is None:
        return Markup("–")
    if not correct:
        return Markup('<span class="quiet">{}</span>').format(words.text("Wrong"))
    tick = Markup('<svg class="i" aria-hidden="true"><use href="#ok"/></svg>')
    return Markup('<span class="tick">{}{}</span>').format(tick, words.text("Right"))


def quoted(text: str) -> Markup:
    """An answer for use in a sentence: isolated from the text direction around it."""
    return Markup("<bdi>“{}”</bdi>").format(cut(text, LONGEST_QUOTED))


def _no_answers(words: Language, listing: Listing) -> Markup:
    if not listing.lines:
        return Markup("<strong>{}</strong>").format(listing.nothing)
    return words.htmls(
        "<strong>Nobody has answered yet.</strong> There is %(n)s problem.",
        "<strong>Nobody has answered yet.</strong> There are %(n)s problems.",
        len(listing.problems),
    )


def no_answers_state(words: Language, course: Course, trail: Sequence[Link] = ()) -> State:
    """Shown when nobody has answered."""
    return State(
        words.text("No answers yet"),
        words.text(
            "Numbers appear after the first learner has submitted an answer and the next computation has run."
        ),
        (back_to(words, course, trail),),
    )


def _figures(words: Language, listing: Listing) -> tuple[Figure, ...]:
    answered = listing.answered
    with_answers = sum(1 for line in listing.problems if line.counts.total)
    counted = listing.counted
    return (
        Figure(
            "right_share",
            words.text("Right"),
            words.percent(answered.share),
            counted.of(words, answered.total),
        ),
        Figure("answers", words.text(counted.name), words.number(answered.total), words.text(counted.note)),
        Figure(
            "problems_answered",
            words.text("Problems answered"),
            words.number(with_answers),
            words.texts("of %(n)s problem", "of %(n)s problems", len(listing.problems)),
        ),
    )


def _chart(words: Language, listing: Listing) -> Chart:
    """The share of right answers of each line; if there are many lines, only the lowest shares."""
    told = [line for line in listing.lines if line.counts.total]
    shown = (
        sorted(told, key=lambda line: line.counts.share or 0.0)[:MOST_BARS] if len(told) > MOST_BARS else told
    )
    caption = caption_of_lowest(words, words.text(listing.counted.caption), len(shown), len(told))
    bars = [
        {
            "name": line.name,
            "value": line.counts.share,
            "rows": [
                (words.text("Right"), words.number(line.counts.right)),
                (words.text("Wrong"), words.number(line.counts.wrong)),
                (words.text(listing.counted.name), words.number(line.counts.total)),
            ],
        }
        for line in shown
    ]
    return Chart(
        "bars",
        words.text("Right and wrong answers"),
        caption,
        ", ".join(f"{line.name} {words.percent(line.counts.share)}" for line in shown),
        {"bars": bars, "horizontal": True, "percent": True, "whole": True},
        [],
        "-".join([*listing.course.parts, "answers"]),
    )


def _table(request: Request, words: Language, listing: Listing) -> Table:
    columns = [_name_column(listing)]
    if any(line.weight is not None for line in listing.lines):
        columns.append(_weight_column(words))
    if any(line.difficulty for line in listing.lines):
        columns.append(_difficulty_column(words))
    columns += (_means if listing.holds_problems else _sums)(words, listing.counted)
    columns.append(
        Column(
            "share",
            words.text("Share right"),
            lambda line: line.counts.share,
            lambda line: words.percent(line.counts.share),
            rising=True,
        )
    )
    return table(
        request,
        listing.caption,
        columns,
        listing.lines,
        sort="order",
        page_size=PAGE_SIZE,
        number=words.number,
    )


def _name_column(listing: Listing) -> Column[Line]:
    return Column(
        "order",
        listing.head,
        lambda line: line.order,
        lambda line: name_in_list(line.href, line.name, line.note),
        numeric=False,
    )


def _weight_column(words: Language) -> Column[Line]:
    return Column(
        "weight",
        words.text("Share of the grade"),
        lambda line: line.weight,
        lambda line: words.percent(line.weight),
        optional=True,
    )


def _difficulty_column(words: Language) -> Column[Line]:
    def difficulty(line: Line) -> str:
        return line.difficulty or "–"

    return Column(
        "difficulty", words.text("Difficulty"), difficulty, difficulty, numeric=False, optional=True
    )


def _means(words: Language, counted: Counted) -> list[Column[Line]]:
    def mean(key: str, label: str, count: Callable[[Counts], int], *, optional: bool) -> Column[Line]:
        return Column(
            key,
            label,
            lambda line: line.per_problem(count(line.counts)),
            lambda line: words.number(line.per_problem(count(line.counts)), 1),
            optional=optional,
        )

    return [
        Column(
            "problems",
            words.text("Problems"),
            lambda line: line.problems,
            lambda line: words.number(line.problems),
        ),
        mean("right", words.text("Right per problem"), lambda c: c.right, optional=True),
        mean("wrong", words.text("Wrong per problem"), lambda c: c.wrong, optional=True),
        mean("answers", words.text(counted.per_problem), lambda c: c.total, optional=False),
    ]


def _sums(words: Language, counted: Counted) -> list[Column[Line]]:
    def number(key: str, label: str, count: Callable[[Counts], int]) -> Column[Line]:
        return Column(
            key, label, lambda line: count(line.counts), lambda line: words.number(count(line.counts))
        )

    return [
        number("right", words.text("Right"), lambda c: c.right),
        number("wrong", words.text("Wrong"), lambda c: c.wrong),
        number("answers", words.text(counted.name), lambda c: c.total),
    ]
