"""The payloads of problem, video, forum and grade events as JSON text, prepared once per course run.

Field lists: spec 02 §1 (problems), spec 03 §1.2 (videos), §2.2 (forum).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha1
from json import dumps
from random import Random
from urllib.parse import quote_plus

from pharos.demo.courses import Block, Course, Option, Part, Problem
from pharos.demo.log_lines import LEARNING_SITE, SITE

PASSING = 0.6  # of a course grade
COURSE_VERSION = "64e64c6835fe1d2093ba4d69"
GRADING_POLICY_HASH = "ChVp0lHGQGCevD0t4njna/C44zQ="
EDITED = "2024-01-15 10:00:00.070241+00:00"  # when the course teams were done with their outlines


@dataclass(frozen=True, slots=True)
class Answer:
    """A possible answer to a part, in the forms that events need; each includes the part's id."""

    points: float  # from 0 to 1
    internal: str  # of `answers` and `student_answers`
    submission: str
    correct_map: str
    form: str


@dataclass(frozen=True, slots=True)
class Input:
    """A part and its answers, right and wrong ones apart, with their weights."""

    right: tuple[Answer, ...]
    right_weights: tuple[float, ...]
    wrong: tuple[Answer, ...]
    wrong_weights: tuple[float, ...]

    def draw(self, draw: Random, chance: float) -> Answer:
        """An answer that is right with the given chance."""
        if draw.random() < chance:
            return self.right[0] if len(self.right) == 1 else draw.choices(self.right, self.right_weights)[0]
        return draw.choices(self.wrong, self.wrong_weights)[0]


@dataclass(frozen=True, slots=True)
class Variant:
    """A problem as one learner sees it."""

    seed: int
    inputs: tuple[Input, ...]
    input_state: str


@dataclass(frozen=True, slots=True)
class ProblemText:
    """A problem of a course run, with texts that its events share."""

    index: int  # among the problems of the course
    block: Block
    problem: Problem
    sequential: Block
    variants: tuple[Variant, ...]
    later: tuple[Variant, ...]  # since it was edited
    handler: str  # path of requests to it, up to the name of the handler
    module: str  # further members of its server events' context

    def variant(self, user_id: int, at: datetime) -> Variant:
        """The problem as the learner sees it at a moment, UTC."""
        edited = self.problem.edited
        variants = self.later if edited is not None and at >= edited else self.variants
        return variants[user_id % len(variants)]

    def check(self, variant: Variant, before: Sequence[Answer], now: Sequence[Answer], attempts: int) -> str:
        """Payload of the server's `problem_check`."""
        earned, points = shown(earned_by(now)), len(now)
        return (
            f'{{"state": {{"seed": {variant.seed}, "student_answers": {{{_joined(before, "internal")}}}, '
            f'"has_saved_answers": false, "correct_map": {{{_joined(before, "correct_map")}}}, '
            f'"input_state": {variant.input_state}, "done": {"true" if before else "false"}}}, '
            f'"problem_id": "{self.block.id}", "answers": {{{_joined(now, "internal")}}}, "grade": {earned}, '
            f'"max_grade": {points}, "correct_map": {{{_joined(now, "correct_map")}}}, '
            f'"success": "{"correct" if earned_by(now) == points else "incorrect"}", "attempts": {attempts}, '
            f'"submission": {{{_joined(now, "submission")}}}}}'
        )

    def graded(self, form: str, now: Sequence[Answer]) -> str:
        """Text that the browser sends as `problem_graded`: the form, and the page shown after it."""
        marks = "".join(
            f'\n  <div class="wrapper-problem-response"><span class="status '
            f'{_mark(answer.points)}"></span></div>'
            for answer in now
        )
        head = f'<h3 class="hd hd-3 problem-header">{self.block.name}</h3>'
        html = f'\n\n{head}\n<div class="problem">{marks}\n</div>'
        return dumps([form, html])

    def submitted(self, user_id: int, course_id: str, transaction: str, earned: float) -> str:
        """Payload of `edx.grades.problem.submitted`."""
        return (
            f'{{"user_id": "{user_id}", "course_id": "{course_id}", "problem_id": "{self.block.id}", '
            f'"event_transaction_id": "{transaction}", '
            '"event_transaction_type": "edx.grades.problem.submitted", '
            f'"weighted_earned": {shown(earned)}, "weighted_possible": {self.problem.points}}}'
        )


class CourseText:
    """A course run with the texts its events need."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.problems: list[ProblemText] = []
        self.problem_of: dict[str, ProblemText] = {}
        for _, sequential in course.sequentials:
            for block in sequential.walk():
                if block.problem is not None:
                    text = _problem_text(course, len(self.problems), block, block.problem, sequential)
                    self.problems.append(text)
                    self.problem_of[block.id] = text
        self.graded = {
            line.name: [
                [text for text in self.problems if text.sequential is sequential]
                for _, sequential in course.sequentials
                if sequential.format == line.name
            ]
            for line in course.policy
        }

    def unit_page(self, vertical: Block) -> str:
        """Address of a unit as rendered inside the learning micro-frontend."""
        view = "show_title=0&show_bookmark_button=0&recheck_access=1&view=student_view"
        return f"{SITE}/xblock/{vertical.id}?{view}"

    def old_page(self, chapter: Block, sequential: Block) -> str:
        """Address of a subsection in the courseware of the LMS itself."""
        return f"{SITE}/courses/{self.course.id}/courseware/{chapter.key}/{sequential.key}/"

    def learning_page(self, sequential: Block) -> str:
        """Address of a subsection in the learning micro-frontend."""
        return f"{LEARNING_SITE}/course/{self.course.id}/{sequential.id}"

    def grade(self, earned: Sequence[float]) -> float:
        """The course grade, 0 to 1, from the points earned by problem: weights and drops of the policy."""
        total = 0.0
        for line in self.course.policy:
            scores = sorted(
                (_share(assignment, earned) for assignment in self.graded[line.name]), reverse=True
            )
            kept = scores[: len(scores) - line.dropped]
            total += line.weight * sum(kept) / len(kept)
        return round(total, 4)

    def subsection_graded(
        self, user_id: int, sequential: Block, earned: Sequence[float], transaction: str, first_attempted: str
    ) -> str:
        """Payload of `edx.grades.subsection.grade_calculated`."""
        problems = [text for text in self.problems if text.sequential is sequential]
        got = float(sum(earned[text.index] for text in problems))
        possible = float(sum(text.problem.points for text in problems))
        graded, possible_graded = (got, possible) if sequential.graded else (0.0, 0.0)
        return (
            f'{{"user_id": "{user_id}", "course_id": "{self.course.id}", "block_id": "{sequential.id}", '
            f'"course_version": "{COURSE_VERSION}", "weighted_total_earned": {got}, '
            f'"weighted_total_possible": {possible}, "weighted_graded_earned": {graded}, '
            f'"weighted_graded_possible": {possible_graded}, "first_attempted": "{first_attempted}", '
            f'"subtree_edited_timestamp": "{EDITED}", "event_transaction_id": "{transaction}", '
            '"event_transaction_type": "edx.grades.problem.submitted", '
            f'"visible_blocks_hash": "{visible_blocks_hash(sequential)}"}}'
        )

    def course_graded(self, user_id: int, percent: float, transaction: str) -> str:
        """Payload of `edx.grades.course.grade_calculated`."""
        return (
            f'{{"user_id": "{user_id}", "course_id": "{self.course.id}", '
            f'"course_version": "{COURSE_VERSION}", "percent_grade": {percent}, '
            f'"letter_grade": "{letter(percent)}", "course_edited_timestamp": "{EDITED}", '
            f'"event_transaction_id": "{transaction}", '
            '"event_transaction_type": "edx.grades.problem.submitted", '
            f'"grading_policy_hash": "{GRADING_POLICY_HASH}"}}'
        )


@cache
def visible_blocks_hash(sequential: Block) -> str:
    """The hash in grade events that identifies the problems of a subsection."""
    return b64encode(sha1(sequential.id.encode(), usedforsecurity=False).digest()).decode()


def tags_of(course: Course) -> list[tuple[Block, dict[str, str | list[str]]]]:
    """The tags of each graded problem of a course run, by taxonomy."""
    problems = [block for block in course.root.walk() if block.problem is not None]
    return [(block, _tags(index)) for index, block in enumerate(problems) if block.graded]


def _tags(index: int) -> dict[str, str | list[str]]:
    return {
        "difficulty": ("Easy", "Medium", "Hard")[index % 3],
        "learning_outcome": ["Knows the terms", "Can apply the method"][: 1 + index % 2],
    }


def letter(percent: float) -> str:
    """The letter grade; empty below the pass mark."""
    return "Pass" if percent >= PASSING else ""


def earned_by(answers: Sequence[Answer]) -> float:
    """The points of the answers to all parts of a problem."""
    return sum(answer.points for answer in answers)


def _mark(points: float) -> str:
    """The LMS's word for an answer with so many points of one."""
    return "correct" if points == 1 else "partially-correct" if points else "incorrect"


def shown(points: float) -> str:
    """Points in the LMS's form: whole ones without a fraction."""
    return f"{points:g}"


def _share(assignment: Sequence[ProblemText], earned: Sequence[float]) -> float:
    return sum(earned[text.index] for text in assignment) / sum(text.problem.points for text in assignment)


def _joined(answers: Sequence[Answer], form: str) -> str:
    return ", ".join([getattr(answer, form) for answer in answers])


def _problem_text(
    course: Course, index: int, block: Block, problem: Problem, sequential: Block
) -> ProblemText:
    asides = {"tagging_aside": {"saved_tags": _tags(index)}} if block.graded else {}
    return ProblemText(
        index=index,
        block=block,
        problem=problem,
        sequential=sequential,
        variants=_variants(problem, problem.variants),
        later=_variants(problem, problem.later),
        handler=f"/courses/{course.id}/xblock/{block.id}/handler/xmodule_handler/",
        module=(
            f', "module": {dumps({"display_name": block.name, "usage_key": block.id})}, '
            f'"asides": {dumps(asides)}'
        ),
    )


def _variants(problem: Problem, seeded: tuple[tuple[int, tuple[Part, ...]], ...]) -> tuple[Variant, ...]:
    return tuple(
        Variant(
            seed,
            tuple(_input(part, seed if problem.randomised else "") for part in parts),
            "{" + ", ".join(f'"{part.id}": {{}}' for part in parts) + "}",
        )
        for seed, parts in seeded
    )


def _input(part: Part, variant: int | str) -> Input:
    right = [option for option in part.options if option.points == 1]
    wrong = [option for option in part.options if option.points < 1]
    return Input(
        tuple(_answer(part, option, variant) for option in right),
        tuple(option.weight for option in right),
        tuple(_answer(part, option, variant) for option in wrong),
        tuple(option.weight for option in wrong),
    )


def _answer(part: Part, option: Option, variant: int | str) -> Answer:
    submission = {
        "question": part.question,
        "answer": option.shown,
        "response_type": part.response_type,
        "input_type": part.input_type,
        "correct": option.points > 0,  # also for part of the credit
        "variant": variant,
        "group_label": "",
    }
    mark = {
        "correctness": _mark(option.points),
        "npoints": option.points if 0 < option.points < 1 else None,
        "msg": "",
        "hint": "",
        "hintmode": None,
        "queuestate": None,
        "answervariable": None,
    }
    values = option.internal if isinstance(option.internal, tuple) else (option.internal,)
    field = f"input_{part.id}" + ("%5B%5D" if isinstance(option.internal, tuple) else "")
    return Answer(
        points=option.points,
        internal=f'"{part.id}": {dumps(option.internal)}',
        submission=f'"{part.id}": {dumps(submission)}',
        correct_map=f'"{part.id}": {dumps(mark)}',
        form="&".join(f"{field}={quote_plus(value)}" for value in values),
    )
