"""Search and filters of the course list: read from the URL, offered as links, chips and drop-downs."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from pharos.insights.api import Row
from pharos.insights.language import Language, noop
from pharos.insights.listing import AVAILABILITIES, Listed
from pharos.insights.rendering import Link, with_query
from pharos.insights.reports import Choice, State, keep

PACINGS = {"instructor_paced": noop("Instructor-paced"), "self_paced": noop("Self-paced")}


@dataclass(frozen=True)
class Filters:
    """The filters in the URL: AND between its parts, OR within each (spec 06 §9.2)."""

    search: str
    availabilities: frozenset[str]
    pacing: str
    organisations: frozenset[str]
    programs: tuple[str, ...]
    """Ids of programs."""
    losing: bool
    """Only courses that lost learners in the last seven days."""

    @classmethod
    def of(cls, request: Request) -> Filters:
        query = request.query_params
        pacing = query.get("pacing", "")
        return cls(
            query.get("q", "").strip(),
            frozenset(query.get("availability", "").split(",")) & AVAILABILITIES.keys(),
            pacing if pacing in PACINGS else "",
            frozenset(filter(None, query.getlist("org"))),
            tuple(dict.fromkeys(filter(None, query.getlist("program")))),
            query.get("losing") == "yes",
        )

    @property
    def is_empty(self) -> bool:
        """True if no filter is set."""
        return not (
            self.search
            or self.availabilities
            or self.pacing
            or self.organisations
            or self.programs
            or self.losing
        )

    def match(self, listed: Listed, in_programs: Container[str]) -> bool:
        """True if the course passes all filters."""
        return (
            (not self.availabilities or listed.availability in self.availabilities)
            and (not self.pacing or listed.pacing == self.pacing)
            and (not self.organisations or listed.organisation in self.organisations)
            and (not self.losing or listed.is_losing)
            and (not self.programs or listed.course.course_id in in_programs)
            and self._found(listed)
        )

    def _found(self, listed: Listed) -> bool:
        text = f"{listed.course.name} {listed.course.course_id}".casefold()
        return all(word in text for word in self.search.casefold().split())


def found(
    request: Request, words: Language, listed: Sequence[Listed], programs: Sequence[Row]
) -> tuple[dict[str, Any], list[Listed], list[Row]]:
    """The page fields for filters, the courses that pass them, and the programs of all courses."""
    filters = Filters.of(request)
    ids = {item.course.course_id for item in listed}
    mine = [program for program in programs if not ids.isdisjoint(program["course_ids"])]
    in_programs = {c for p in mine if p["program_id"] in filters.programs for c in p["course_ids"]}
    shown = list(listed)
    if not filters.is_empty:
        shown = [item for item in listed if filters.match(item, in_programs)]
    parts = {
        "search": filters.search,
        "availabilities": tuple(availability_links(request, words, filters, listed)),
        "choices": tuple(choices(words, filters, listed, mine)),
        "chips": tuple(chips(request, words, filters, mine)),
        "hidden": keep(request, "availability", "org", "program", "losing", "sort", "by", "language"),
        "status": words.texts(
            "%(shown)s of %(n)s course",
            "%(shown)s of %(n)s courses",
            len(listed),
            shown=words.number(len(shown)),
        ),
    }
    return parts, shown, mine


def nothing_found(request: Request, words: Language, *, filtered: bool) -> State:
    """Shown in place of courses, if the filters match none or the viewer has none."""
    if filtered:
        return State(
            words.text("No course matches"),
            words.text("Try other words, or take filters away. Search looks at names and ids of courses."),
            (Link(request.url.path, words.text("Show all courses")),),
        )
    return State(
        words.text("No data yet"),
        words.text(
            "Nothing has been counted for your courses so far. Numbers appear after the first computation; "
            "ask your operator whether it has run."
        ),
    )


def availability_links(
    request: Request, words: Language, filters: Filters, listed: Sequence[Listed]
) -> list[tuple[Link, str]]:
    """Links that switch each existing availability, with the number of courses."""
    links = []
    for key, label in AVAILABILITIES.items():
        count = sum(item.availability == key for item in listed)
        if not count and key not in filters.availabilities:
            continue
        chosen = filters.availabilities ^ {key}
        query = ",".join(k for k in AVAILABILITIES if k in chosen) or None
        address = with_query(request, availability=query, page=None)
        links.append((Link(address, words.text(label), key in filters.availabilities), words.number(count)))
    return links


def choices(
    words: Language, filters: Filters, listed: Sequence[Listed], programs: Sequence[Row]
) -> list[Choice]:
    """The drop-downs: pacing, one more organization, one more program. Chosen ones are chips instead."""
    offered = []
    used = {item.pacing for item in listed} & PACINGS.keys()
    if used:
        options = [Link("", words.text("Any"), not filters.pacing)]
        options += [Link(k, words.text(v), k == filters.pacing) for k, v in PACINGS.items() if k in used]
        offered.append(Choice("pacing", words.text("Pacing"), options))
    organisations = sorted({item.organisation for item in listed} - filters.organisations)
    if len(organisations) + len(filters.organisations) > 1:
        first = words.text("Add an organization") if filters.organisations else words.text("Any")
        names = [Link(name, name) for name in organisations]
        offered.append(Choice("org", words.text("Organization"), [Link("", first, current=True), *names]))
    left = [program for program in programs if program["program_id"] not in filters.programs]
    if left:
        first = words.text("Add a program") if filters.programs else words.text("Any")
        titled = [Link(program["program_id"], title_of(program)) for program in sorted(left, key=by_title)]
        offered.append(Choice("program", words.text("Program"), [Link("", first, current=True), *titled]))
    return offered


def chips(request: Request, words: Language, filters: Filters, programs: Sequence[Row]) -> list[Link]:
    """A link for each active filter that removes it."""
    found = []

    def chip(text: str, **changes: str | Sequence[str] | None) -> None:
        found.append(Link(with_query(request, page=None, **changes), text))

    if filters.search:
        chip(words.text("Search: “%(text)s”", text=filters.search), q=None)
    if filters.availabilities:
        names = [words.text(label) for key, label in AVAILABILITIES.items() if key in filters.availabilities]
        chip(words.text("Availability: %(names)s", names=", ".join(names)), availability=None)
    if filters.pacing:
        name = words.text(PACINGS[filters.pacing])
        chip(words.text("Pacing: %(name)s", name=name), pacing=None)
    for name in sorted(filters.organisations):
        left = sorted(filters.organisations - {name})
        chip(words.text("Organization: %(name)s", name=name), org=left)
    if filters.losing:
        chip(words.text("Lost learners in 7 days"), losing=None)
    titles = {program["program_id"]: title_of(program) for program in programs}
    for program in filters.programs:
        others = [other for other in filters.programs if other != program]
        chip(words.text("Program: %(name)s", name=titles.get(program, program)), program=others)
    return found


def title_of(program: Row) -> str:
    return str(program["program_title"] or program["program_id"])


def by_title(program: Row) -> tuple[bool, str]:
    """Sort key: by title, programs without a title last."""
    return not program["program_title"], title_of(program).casefold()
