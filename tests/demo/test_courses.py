from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from pharos.demo.campus import Campus
from pharos.demo.courses import Problem


def test_block_ids_are_unique_in_all_courses(campus: Campus) -> None:
    ids = [block.id for course in campus.courses for block in course.root.walk()]
    assert len(set(ids)) == len(ids)


def test_outline_has_the_levels_of_the_platform(campus: Campus) -> None:
    below = {"course": "chapter", "chapter": "sequential", "sequential": "vertical"}
    for course in campus.courses:
        for block in course.root.walk():
            if block.type in below:
                assert {child.type for child in block.children} == {below[block.type]}
            elif block.type == "vertical":
                assert {child.type for child in block.children} <= {"video", "html", "problem", "discussion"}
            else:
                assert not block.children
            assert (block.problem is not None) == (block.type == "problem")
            assert (block.video is not None) == (block.type == "video")


def test_grading_policy_counts_the_assignments_and_weighs_to_one(campus: Campus) -> None:
    for course in campus.courses:
        assert sum(line.weight for line in course.policy) == pytest.approx(1)
        formats = [sequential.format for _, sequential in course.sequentials if sequential.graded]
        assert {line.name: line.count for line in course.policy} == {
            name: formats.count(name) for name in formats
        }
        assert all(line.dropped < line.count for line in course.policy)


def test_graded_blocks_stand_below_graded_subsections_with_their_format_and_date(campus: Campus) -> None:
    for course in campus.courses:
        for _, sequential in course.sequentials:
            for block in sequential.walk():
                assert (block.graded, block.format, block.due) == (
                    sequential.graded,
                    sequential.format,
                    sequential.due,
                )
            assert (sequential.due is not None) == (sequential.graded and not course.self_paced)


def test_every_part_can_be_answered_rightly_and_wrongly(campus: Campus) -> None:
    kinds = set()
    for course in campus.courses:
        for block in course.root.walk():
            if block.problem is not None:
                for _, parts in block.problem.variants:
                    for part in parts:
                        kinds.add(part.response_type)
                        assert part.id.startswith(f"{block.key}_")
                        assert {option.points == 1 for option in part.options} == {True, False}
    assert kinds == {
        "multiplechoiceresponse",
        "choiceresponse",
        "optionresponse",
        "numericalresponse",
        "stringresponse",
    }


def test_there_are_multi_part_and_randomised_problems(campus: Campus) -> None:
    problems = [
        block.problem
        for course in campus.courses
        for block in course.root.walk()
        if block.problem is not None
    ]
    assert any(problem.points > 1 for problem in problems)
    assert any(problem.randomised and len(problem.variants) > 1 for problem in problems)


def test_outline_is_the_same_in_every_campus(campus: Campus) -> None:
    other = Campus(seed=99, learners=1, days=10, until=campus.until)
    assert [block.id for block in other.courses[0].root.walk()] == [
        block.id for block in campus.courses[0].root.walk()
    ]


def test_one_course_was_held_before_with_the_same_content(campus: Campus) -> None:
    """So that the demo has a last run to compare with, by day of the course."""
    now = next(course for course in campus.courses if course.id.endswith("+R1"))
    before = next(course for course in campus.courses if course.id.endswith("+R0"))
    assert before.starts < now.starts
    assert [block.name for block in before.root.walk()] == [block.name for block in now.root.walk()]
    assert {block.id for block in before.root.walk()}.isdisjoint(block.id for block in now.root.walk())
    assert campus.members(before)


def problem_named(campus: Campus, name: str) -> Problem:
    [found] = [
        block.problem
        for block in campus.courses[0].root.walk()
        if block.problem is not None and block.name == name
    ]
    return found


def test_some_problems_are_as_they_should_not_be(campus: Campus) -> None:
    keyed, misleading, edited = (
        problem_named(campus, name) for name in ("Nominal range", "Chart datum", "True course")
    )
    assert (keyed.badly_keyed, keyed.misleading) == (True, False)
    assert (misleading.badly_keyed, misleading.misleading) == (False, True)
    for problem, lure in ((keyed, "The nominal range in nautical miles"), (misleading, "Mean sea level")):
        [(_, [part])] = problem.variants
        heaviest = max(
            (option for option in part.options if not option.points), key=lambda option: option.weight
        )
        assert heaviest.shown == lure
        assert sum(option.points for option in part.options) == 1
    assert edited.edited is not None
    assert campus.courses[0].starts < edited.edited < campus.end
    [(seed, [before])], [(later_seed, [after])] = edited.variants, edited.later
    assert (seed, before.id) == (later_seed, after.id)
    assert before.question != after.question
    assert problem_named(campus, "Knots").later == ()


def test_one_box_too_many_or_too_few_is_worth_half(campus: Campus, events: list[dict[str, Any]]) -> None:
    problem = next(
        block for block in campus.courses[0].root.walk() if block.name == "Variation" and block.problem
    )
    checks = [
        event["event"]
        for event in events
        if event["event_type"] == "problem_check" and event["event_source"] == "server"
    ]
    found = set()
    for check in checks:
        if check["problem_id"] == problem.id:
            [mark], [told] = check["correct_map"].values(), check["submission"].values()
            found.add((check["grade"], mark["correctness"], mark["npoints"], told["correct"]))
    assert found == {(1, "correct", None, True), (0.5, "partially-correct", 0.5, True)}


def test_learners_skip_openings_watch_hard_parts_again_and_leave_dull_ones(
    campus: Campus, events: list[dict[str, Any]]
) -> None:
    """Of those who watch in a browser a good part does, and nobody in another video."""
    videos = {block.key: block.video for block in campus.courses[0].root.walk() if block.video}
    plays, skips, again, leaves = (Counter[str]() for _ in range(4))
    for event in events:
        if event["event_source"] != "browser" or "_video" not in event["event_type"]:
            continue
        told, kind = json.loads(event["event"]), event["event_type"]
        if (video := videos.get(key := told["id"])) is None:
            continue
        plays[key] += kind == "load_video"
        if kind == "seek_video":
            skips[key] += told["old_time"] == 2
            away = [told["old_time"] - video.hard[1], told["new_time"] - video.hard[0]] if video.hard else [9]
            again[key] += all(abs(seconds) <= 3 for seconds in away)
        if kind == "pause_video" and video.dull_s:
            leaves[key] += abs(told["currentTime"] - video.dull_s) <= 4
    assert {key for key, video in videos.items() if video.opening_s} == (+skips).keys()
    for found in (skips, again, leaves):
        [(key, number)] = (+found).items()
        assert number > plays[key] / 8
