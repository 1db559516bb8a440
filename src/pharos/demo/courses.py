"""The course runs of the simulated campus: outlines, problems with their answers, grading policies, dates.

The text comes from `content/courses.yaml`; this module adds ids, a tree and dates. It knows no learner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import yaml

LURE, LURE_WEIGHT = "!", 8.0
"""Marks the wrong answer that most of those give who are wrong; and its weight, others have 1 at most."""


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer to a part: the value that the form sends, the text shown, and the points."""

    internal: str | tuple[str, ...]  # choice monikers or typed text
    shown: str | tuple[str, ...]
    points: float  # 1 if right, 0 if wrong, between them if the problem gives part of the credit
    weight: float  # share among the right, or among the wrong, options


@dataclass(frozen=True, slots=True)
class Part:
    """One input of a problem."""

    id: str  # <block id>_<number>_1
    question: str
    response_type: str  # element of the problem's XML
    input_type: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """The content of a problem block; a randomised problem has a variant per seed.

    Some are faulty on purpose. `badly_keyed`: the answer that counts as right is wrong, so that better
    learners fail more often. `misleading`: one wrong answer looks right to most learners.
    """

    variants: tuple[tuple[int, tuple[Part, ...]], ...]  # (seed, parts)
    randomised: bool
    max_attempts: int | None
    badly_keyed: bool = False
    misleading: bool = False
    edited: datetime | None = None  # UTC; from then on learners meet `later`
    later: tuple[tuple[int, tuple[Part, ...]], ...] = ()

    @property
    def points(self) -> int:
        """Points to earn: one per part."""
        return len(self.variants[0][1])


@dataclass(frozen=True, slots=True)
class Video:
    """A video; all its times are seconds from its beginning.

    Some have faults on purpose. `opening_s`: length of an opening that many skip. `hard`: a part that many
    watch again. `dull_s`: the point where many leave.
    """

    duration_s: int
    youtube: str
    opening_s: int | None = None
    hard: tuple[int, int] | None = None
    dull_s: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A node of an outline. `id` is the usage key; `key` its last part, as events of videos name it."""

    id: str
    type: str
    name: str
    graded: bool = False
    format: str | None = None
    due: datetime | None = None
    children: tuple[Block, ...] = ()
    problem: Problem | None = None
    video: Video | None = None

    @property
    def key(self) -> str:
        return self.id.rpartition("@")[2]

    def walk(self) -> Iterator[Block]:
        """The block and all below it, depth first, parents before children."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class AssignmentType:
    """A line of a grading policy; `weight` is a fraction of one."""

    name: str
    count: int
    dropped: int
    weight: float


@dataclass(frozen=True, slots=True)
class Course:
    """A course run. Times are UTC; `ends` is None for a run without an end."""

    id: str
    name: str
    description: str
    self_paced: bool
    share: float  # of all learners who enroll
    opens: datetime
    starts: datetime
    ends: datetime | None
    policy: tuple[AssignmentType, ...]
    cohorts: tuple[str, ...]
    root: Block
    hidden: bool  # from the catalog: seen by its team and staff only

    @property
    def org(self) -> str:
        return self._parts[0]

    @property
    def number(self) -> str:
        return self._parts[1]

    @property
    def run(self) -> str:
        return self._parts[2]

    @property
    def _parts(self) -> list[str]:
        return self.id.removeprefix("course-v1:").split("+")

    @property
    def sequentials(self) -> list[tuple[Block, Block]]:
        """(chapter, subsection) in the order of the outline."""
        return [(chapter, sequential) for chapter in self.root.children for sequential in chapter.children]


def load_courses(start: datetime, end: datetime) -> tuple[Course, ...]:
    """The course runs, with dates in the period `[start, end)`: three, and an earlier run of one of them."""
    items = yaml.safe_load(files("pharos.demo").joinpath("content/courses.yaml").read_text(encoding="utf-8"))
    earlier = [{**item, **item["earlier"]} for item in items if "earlier" in item]
    return tuple(_course(item, start, end - start) for item in (*items, *earlier))


def _course(item: Mapping[str, Any], start: datetime, period: timedelta) -> Course:
    starts = _midnight(start + item["starts"] * period)
    ends = None if item["ends"] is None else _midnight(start + item["ends"] * period)
    self_paced = item["pacing"] == "self"
    chapters = [
        _chapter(item["id"], number, chapter, None if self_paced else _due(starts, ends, number, item))
        for number, chapter in enumerate(item["chapters"], start=1)
    ]
    root = Block(_usage(item["id"], "course", "course"), "course", item["name"], children=tuple(chapters))
    return Course(
        id=item["id"],
        name=item["name"],
        description=item["description"],
        self_paced=self_paced,
        share=item["share"],
        opens=_midnight(start + item["opens"] * period),
        starts=starts,
        ends=ends,
        policy=_policy(item["policy"], root),
        cohorts=tuple(item["cohorts"]),
        root=root,
        hidden=item.get("hidden", False),
    )


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _due(starts: datetime, ends: datetime | None, number: int, item: Mapping[str, Any]) -> datetime | None:
    """Due dates of chapters: at equal distances, always at 23:00 UTC."""
    if ends is None:
        return None
    share = number / len(item["chapters"])
    return _midnight(starts + share * (ends - starts)) - timedelta(hours=1)


def _policy(item: Mapping[str, Mapping[str, Any]], root: Block) -> tuple[AssignmentType, ...]:
    formats = [block.format for block in root.walk() if block.type == "sequential"]
    return tuple(
        AssignmentType(name, formats.count(name), line["dropped"], line["weight"])
        for name, line in item.items()
    )


def _chapter(course_id: str, number: int, item: Mapping[str, Any], due: datetime | None) -> Block:
    place = f"chapter {number}"
    return Block(
        _usage(course_id, "chapter", place),
        "chapter",
        item["name"],
        children=(
            Block(
                _usage(course_id, "sequential", f"{place} lecture"),
                "sequential",
                item["lecture"],
                children=tuple(
                    _vertical(course_id, f"{place} unit {index}", unit["name"], unit["blocks"])
                    for index, unit in enumerate(item["units"])
                ),
            ),
            _assignment(course_id, f"{place} assignment", item, due),
        ),
    )


def _assignment(course_id: str, place: str, item: Mapping[str, Any], due: datetime | None) -> Block:
    """The graded subsection of a chapter, a unit per problem."""
    name, kind = item["assignment"]["name"], item["assignment"]["format"]
    units = tuple(
        _vertical(
            course_id, f"{place} {index}", problem["problem"], [problem], graded=True, kind=kind, due=due
        )
        for index, problem in enumerate(item["problems"])
    )
    return Block(_usage(course_id, "sequential", place), "sequential", name, True, kind, due, units)


def _vertical(
    course_id: str,
    place: str,
    name: str,
    items: list[Mapping[str, Any]],
    *,
    graded: bool = False,
    kind: str | None = None,
    due: datetime | None = None,
) -> Block:
    leaves = tuple(
        _leaf(course_id, f"{place} block {index}", item, graded=graded, kind=kind, due=due)
        for index, item in enumerate(items)
    )
    return Block(_usage(course_id, "vertical", place), "vertical", name, graded, kind, due, leaves)


def _leaf(
    course_id: str,
    place: str,
    item: Mapping[str, Any],
    *,
    graded: bool,
    kind: str | None,
    due: datetime | None,
) -> Block:
    block_type = next(name for name in ("video", "html", "discussion", "problem") if name in item)
    block_id = _usage(course_id, block_type, place)
    key = block_id.rpartition("@")[2]
    return Block(
        block_id,
        block_type,
        item[block_type],
        graded,
        kind,
        due,
        problem=_problem(key, item, due, graded=graded) if block_type == "problem" else None,
        video=_video(key, item) if block_type == "video" else None,
    )


def _video(key: str, item: Mapping[str, Any]) -> Video:
    hard = item.get("hard")
    return Video(
        item["seconds"], key[:11], item.get("opening"), (hard[0], hard[1]) if hard else None, item.get("dull")
    )


def _problem(key: str, item: Mapping[str, Any], due: datetime | None, *, graded: bool) -> Problem:
    edit = item.get("edit")
    return Problem(
        variants=_variants(key, item),
        randomised="variants" in item,
        max_attempts=3 if graded else None,
        badly_keyed=item.get("badly_keyed", False),
        misleading=any(label.startswith(LURE) for label in item.get("choices", ()))
        and "badly_keyed" not in item,
        edited=due - timedelta(days=edit["days_before_due"]) if edit and due else None,
        later=_variants(key, edit) if edit and due else (),
    )


def _variants(key: str, item: Mapping[str, Any]) -> tuple[tuple[int, tuple[Part, ...]], ...]:
    """The parts by seed; a problem that is not randomised has the seed 1."""
    variants = item.get("variants")
    seeded = (
        [(variant["seed"], [variant]) for variant in variants]
        if variants
        else [(1, item.get("parts", [item]))]
    )
    return tuple(
        (seed, tuple(_part(f"{key}_{number}_1", part) for number, part in enumerate(parts, start=2)))
        for seed, parts in seeded
    )


def _part(part_id: str, item: Mapping[str, Any]) -> Part:
    if "choices" in item:
        return Part(part_id, item["ask"], "multiplechoiceresponse", "choicegroup", _choices(item["choices"]))
    if "menu" in item:
        return Part(
            part_id, item["ask"], "optionresponse", "optioninput", _choices(item["menu"], monikers=False)
        )
    if "boxes" in item:
        return Part(part_id, item["ask"], "choiceresponse", "checkboxgroup", _subsets(item))
    if "number" in item:
        return Part(part_id, item["ask"], "numericalresponse", "formulaequationinput", _typed("number", item))
    return Part(part_id, item["ask"], "stringresponse", "textline", _typed("text", item))


def _choices(labels: list[str], *, monikers: bool = True) -> tuple[Option, ...]:
    options = []
    for index, label in enumerate(labels):
        shown = label.lstrip(f"*{LURE}")
        internal = f"choice_{index}" if monikers else shown
        weight = LURE_WEIGHT if label.startswith(LURE) else 1 / (1 + index)
        options.append(Option(internal, shown, float(label.startswith("*")), weight))
    return tuple(options)


def _subsets(item: Mapping[str, Any]) -> tuple[Option, ...]:
    """The right set of boxes, and the sets that differ from it by one box; these get no points or some."""
    labels, part = item["boxes"], item.get("one_box_off", 0.0)
    right = {index for index, label in enumerate(labels) if label.startswith("*")}
    wrong = [right ^ {index} for index in range(len(labels))]
    return tuple(
        Option(
            tuple(f"choice_{index}" for index in sorted(chosen)),
            tuple(labels[index].lstrip("*") for index in sorted(chosen)),
            1.0 if chosen == right else part,
            1 / (1 + rank),
        )
        for rank, chosen in enumerate([right, *wrong])
        if chosen
    )


def _typed(kind: str, item: Mapping[str, Any]) -> tuple[Option, ...]:
    right = str(item[kind])
    forms = [right, f"{right} "] if kind == "text" else [right]
    options = [Option(form, form, 1.0, 1 / (1 + 9 * rank)) for rank, form in enumerate(forms)]
    return (*options, *(Option(form, form, 0.0, 1 / (1 + rank)) for rank, form in enumerate(item["wrong"])))


def _usage(course_id: str, block_type: str, place: str) -> str:
    """The usage key of a block: 32 hexadecimal digits as Studio gives them, the same in every campus."""
    part = course_id.removeprefix("course-v1:")
    key = (
        "course"
        if block_type == "course"
        else blake2b(f"{part} {place}".encode(), digest_size=16).hexdigest()
    )
    return f"block-v1:{part}+type@{block_type}+block@{key}"
