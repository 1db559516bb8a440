"""Shared parts of pages about blocks (problems, videos): addresses, links back, names in lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import quote

from fastapi import HTTPException
from markupsafe import Markup

from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.navigation import Report
from pharos.insights.outline import Block, Group, Section
from pharos.insights.rendering import Link
from pharos.insights.reports import strong


class OfBlock(Protocol):
    """An object that represents a block."""

    @property
    def block(self) -> Block: ...


T = TypeVar("T", bound=OfBlock)


# --- Places


def in_path(block_id: str) -> str:
    """A usage id quoted for an address."""
    return quote(block_id, safe=":@+")


def of_block(items: Iterable[T], block_id: str) -> T:
    """The section, subsection or assignment of this id. Raises HTTPException 404."""
    for item in items:
        if item.block.id == block_id:
            return item
    raise HTTPException(404)


def section_path(report: Report, section: Section) -> str:
    """The address of a section's page, below the course."""
    return f"{report.path}sections/{in_path(section.block.id)}/"


def subsection_path(report: Report, section: Section, group: Group) -> str:
    """The address of a subsection's page, below the course."""
    return f"{section_path(report, section)}subsections/{in_path(group.block.id)}/"


def up_to(words: Language, course: Course, report: Report) -> Link:
    """The way back to the first page of a report."""
    return Link(course.path + report.path, words.text(report.label))


def up_to_section(words: Language, course: Course, report: Report, section: Section) -> tuple[Link, Link]:
    """The way back to the first page of a report and to a section."""
    return (
        up_to(words, course, report),
        Link(course.path + section_path(report, section), section.block.name),
    )


def back_to(words: Language, course: Course, trail: Sequence[Link]) -> Link:
    """A link from an empty page to the page above it, or to the course's home."""
    up = next((link for link in reversed(trail) if not link.current), None)
    if up is None:
        return Link(course.path, words.text("Back to course home"))
    return Link(up.href, words.text("Back to %(page)s", page=up.label))


# --- Names


def linked(href: str, name: str) -> Markup:
    """The name, as a link if it has an address."""
    text = Markup("<bdi>{}</bdi>").format(name)
    return Markup('<a href="{}">{}</a>').format(href, text) if href else text


def name_in_list(href: str, name: str, note: str) -> Markup:
    """The name in a line of a list, above its note."""
    return linked(href, name) + (Markup('<span class="sub">{}</span>').format(note) if note else "")


def name_on_map(words: Language, href: str, name: str, section: str, *, is_worst: bool) -> Markup:
    """The name in a line of a map's table, above its section."""
    look = Markup(' <b class="flag">{}</b>').format(words.text("Worth a look")) if is_worst else ""
    return linked(href, name) + Markup('<span class="sub"><bdi>{}</bdi>{}</span>').format(section, look)


def named_shares(words: Language, worst: Sequence[tuple[str, str, float | None]]) -> Markup:
    """Addresses, names and shares in a sentence."""
    named = [
        Markup("{} ({})").format(linked(href, name), strong(words.percent(share)))
        for href, name, share in worst
    ]
    return Markup(words.enumeration(named))  # noqa: S704 - its items are escaped


def caption_of_lowest(words: Language, caption: str, shown: int, told: int) -> str:
    """The caption of a chart; it says so if the chart shows only the lowest lines."""
    if shown == told:
        return caption
    lowest = words.text("the %(shown)s lowest of %(all)s", shown=words.number(shown), all=words.number(told))
    return f"{caption} ({lowest})"
