"""Learners' way through a course: the places they reach, complete and stop at, and the next place they visit.

`spec 90 §6.1-6, §9-13, §9-14`. Places are sections, subsections and units of the latest outline; deleted
places keep their name and last position. On each level a learner counts once.
"""

from __future__ import annotations

import ibis

from pharos.facts.interaction import ATTEMPTED, PROBLEM, VIDEO, VIEWED
from pharos.facts.place_visit import COMPLETED, REACHED
from pharos.metrics.learner_status import LEFT, PAUSE, QUIET, SLOWING, UNENROLLED
from pharos.metrics.metric import metric
from pharos.result_store import tables

COURSE, SECTION, SUBSECTION, UNIT = "course", "section", "subsection", "unit"
LEVELS = (COURSE, SECTION, SUBSECTION, UNIT)
HOLDERS = ("course", "chapter", "sequential", "vertical")
"""Types of blocks that only hold others."""
TRIED, WATCHED = "tried", "watched"
STOPPED = (SLOWING, QUIET, LEFT)

_BLOCK = ["course_id", "block_id"]
_LEARNER = ["course_id", "user_id"]
_PLACE = ["course_id", "level", "block_id"]


@metric(tables.learner_place, by="course_id")
def learner_place(
    counted_place_visit: ibis.Table,
    counted_interaction: ibis.Table,
    counted_completion_blockcompletion: ibis.Table,
    course_blocks: ibis.Table,
) -> ibis.Table:
    """For each learner and visited place: tried, watched and completed, with the first and the last visit."""
    outline = outline_of(course_blocks)
    done = _completions(counted_place_visit, counted_completion_blockcompletion)
    visits = counted_place_visit.filter(counted_place_visit.kind == REACHED)
    none = ibis.null("int64")
    rows = ibis.union(
        visits.select(*_LEARNER, "block_id", "kind", "first_moment", "last_moment"),
        *(
            found.select(
                *_LEARNER, "block_id", kind=ibis.literal(kind), first_moment=none, last_moment=none
            ).distinct()
            for kind, found in (
                (TRIED, _tried(counted_interaction)),
                (WATCHED, _watched(counted_interaction, outline)),
                (COMPLETED, done),
            )
        ),
    )
    places = _in_places(rows, outline)
    found = places.group_by(*_LEARNER, "level", place=places.place_id).agg(
        tried=(places.kind == TRIED).cast("int64").max() == 1,
        watched=(places.kind == WATCHED).cast("int64").max() == 1,
        first_moment=places.first_moment.min(),
        last_moment=places.last_moment.max(),
    )
    return _with_completed(found.rename(block_id="place"), done, outline)


def outline_of(course_blocks: ibis.Table) -> ibis.Table:
    """One row per block, at its first place, with the ids of its enclosing blocks.

    Columns: course_id, block_id, block_type, display_name, is_deleted, sort_idx, parent_block_id, course,
    section, subsection, unit; the last four are ids of the enclosing blocks.
    """
    rank = ibis.row_number().over(ibis.window(group_by=_BLOCK, order_by=["is_deleted", "sort_idx"]))
    first = course_blocks.mutate(rank=rank)
    first = first.filter(first.rank == 0)
    path = ibis.coalesce(first.ancestor_ids, ibis.literal([], "array<string>")).concat(
        ibis.array([first.block_id])
    )
    levels = {
        level: ibis.ifelse(path.length() > place, path[place], ibis.null("string"))
        for place, level in enumerate(LEVELS)
    }
    return first.select(
        *_BLOCK,
        "block_type",
        "display_name",
        "is_deleted",
        "is_orphan",
        "sort_idx",
        "parent_block_id",
        **levels,
    )


def _tried(interactions: ibis.Table) -> ibis.Table:
    """(course_id, user_id, block_id) of problems that were tried."""
    rows = interactions.filter(
        interactions.entity_type == PROBLEM, interactions.action == ATTEMPTED, interactions.user_id > 0
    )
    return rows.select(*_LEARNER, block_id=rows.entity_id)


def _watched(interactions: ibis.Table, outline: ibis.Table) -> ibis.Table:
    """(course_id, user_id, block_id) of videos that were watched; events name them by the players' ids."""
    rows = interactions.filter(
        interactions.entity_type == VIDEO, interactions.action == VIEWED, interactions.user_id > 0
    )
    videos = outline.filter(outline.block_type == "video")
    players = videos.select(
        "course_id",
        "block_id",
        entity_id=ibis.ifelse(
            videos.block_id.contains("+block@"),
            videos.block_id.re_replace(r"^.*\+block@", ""),
            videos.block_id.re_replace("[:/]+", "-"),
        ),
    )
    return rows.inner_join(players, ["course_id", "entity_id"]).select(*_LEARNER, "block_id")


def _completions(visits: ibis.Table, completions: ibis.Table) -> ibis.Table:
    """The blocks that are complete now: (course_id, user_id, block_id).

    From the LMS's table if it has rows of the course run, else from the latest event of each block.
    """
    changes = visits.filter(visits.kind != REACHED)
    # The latest moment times two, and one more if it was a completion: the greatest tells the latest change.
    told = changes.mutate(worth=changes.last_moment * 2 + (changes.kind == COMPLETED).cast("int64"))
    latest = told.group_by(*_LEARNER, "block_id").agg(worth=told.worth.max())
    by_events = latest.filter(latest.worth % 2 == 1).anti_join(completions, "course_id")
    by_lms = completions.filter(completions.completion >= 1)
    columns = ibis.schema({"course_id": "string", "user_id": "int64", "block_id": "string"})
    of_lms = by_lms.select(*_LEARNER, block_id=by_lms.block_key).cast(columns)
    return ibis.union(by_events.select(*_LEARNER, "block_id").cast(columns), of_lms).distinct()


def _in_places(rows: ibis.Table, outline: ibis.Table) -> ibis.Table:
    """Each row repeated for each level, with `level` and `place_id`, the enclosing block on that level."""
    return ibis.union(
        *(
            rows.inner_join(held, _BLOCK).select(rows, held.level, held.place_id)
            for level in LEVELS
            for held in [
                outline.filter(outline[level].notnull()).select(
                    *_BLOCK, level=ibis.literal(level), place_id=outline[level]
                )
            ]
        )
    )


def _with_completed(found: ibis.Table, done: ibis.Table, outline: ibis.Table) -> ibis.Table:
    """The rows with `completed`: true if all counting blocks in the place are complete; null if none counts.

    A block counts if it holds no other blocks and somebody completed a block of its type in the course run.
    """
    leaves = outline.filter(
        ~outline.is_deleted, ~outline.is_orphan, ~outline.block_type.isin(HOLDERS)
    )  # fmt: skip
    types = done.inner_join(outline, _BLOCK).select("course_id", "block_type").distinct()
    counting = leaves.semi_join(types, ["course_id", "block_type"])
    held = _in_places(counting.select(*_BLOCK), outline)
    needed = held.group_by("course_id", "level", "place_id").agg(needed=held.count())
    has = _in_places(done.semi_join(counting, _BLOCK), outline)
    has = has.group_by(*_LEARNER, "level", "place_id").agg(has=has.count())
    rows = found.left_join(
        needed, ["course_id", "level", found.block_id == needed.place_id]
    ).select(found, needed.needed)  # fmt: skip
    rows = rows.left_join(has, [*_LEARNER, "level", rows.block_id == has.place_id]).select(rows, has.has)
    return rows.mutate(completed=ibis.coalesce(rows.has, 0) == rows.needed).drop("needed", "has")


@metric(tables.course_flow, by="course_id")
def course_flow(
    learner_place: ibis.Table, course_blocks: ibis.Table, learner_status: ibis.Table
) -> ibis.Table:
    """Learners by place; present places even without learners, deleted places only with learners."""
    outline = outline_of(course_blocks)
    places = learner_place
    is_done = places.completed.cast("int64")
    counts = places.group_by(_PLACE).agg(
        reached=places.count(),
        completed=is_done.sum(),
        tried=places.tried.cast("int64").sum(),
        watched=places.watched.cast("int64").sum(),
    )
    named = _named(outline)
    found = named.left_join(counts, _PLACE).select(
        named, counts.reached, counts.completed, counts.tried, counts.watched
    )
    found = found.filter(~found.is_deleted | found.reached.notnull())
    stops, following = _stops(places, named, learner_status), _following(places, named)
    found = found.left_join(stops, _PLACE).select(found, stops.stopped)
    found = found.left_join(following, _PLACE).select(found, following.next_block_id, following.next_learners)
    return found.mutate(
        {name: ibis.coalesce(found[name], 0) for name in ("reached", "tried", "watched", "stopped")}
    )


def _named(outline: ibis.Table) -> ibis.Table:
    """The places: (course_id, level, block_id, display_name, place, parent_block_id, is_deleted)."""
    return ibis.union(
        *(
            rows.select(
                *_PLACE[:1], "block_id", "parent_block_id",
                level=ibis.literal(level),
                display_name=rows.display_name.left(255),
                place=rows.sort_idx,
                is_deleted=rows.is_deleted | rows.is_orphan,
            )
            for level in LEVELS
            for rows in [outline.filter(outline[level] == outline.block_id)]
        )
    )  # fmt: skip


def _stops(places: ibis.Table, named: ibis.Table, learner_status: ibis.Table) -> ibis.Table:
    """(…, stopped): learners who are no longer active, by their last place on each level."""
    gone = learner_status.filter(
        learner_status.status.isin(STOPPED), learner_status.rule.isin([PAUSE, UNENROLLED])
    )
    visited = _placed(places.filter(places.last_moment.notnull()).semi_join(gone, _LEARNER), named)
    latest = ibis.window(
        group_by=[*_LEARNER, "level"], order_by=[ibis.desc("last_moment"), ibis.desc("place"), "block_id"]
    )
    ranked = visited.mutate(rank=ibis.row_number().over(latest))
    last = ranked.filter(ranked.rank == 0)
    return last.group_by(_PLACE).agg(stopped=last.count())


def _following(places: ibis.Table, named: ibis.Table) -> ibis.Table:
    """(…, next_block_id, next_learners): the subsection that most learners first visited next."""
    visited = places.filter(places.first_moment.notnull(), places.level == SUBSECTION)
    visited = _placed(visited, named)
    in_order = ibis.window(group_by=_LEARNER, order_by=["first_moment", "place", "block_id"])
    pairs = visited.mutate(
        next_block_id=visited.block_id.lead().over(in_order), next_place=visited.place.lead().over(in_order)
    )
    pairs = pairs.filter(pairs.next_block_id.notnull())
    counts = pairs.group_by(*_PLACE, "next_block_id", "next_place").agg(next_learners=pairs.count())
    most = ibis.window(group_by=_PLACE, order_by=[ibis.desc("next_learners"), "next_place", "next_block_id"])
    ranked = counts.mutate(rank=ibis.row_number().over(most))
    return ranked.filter(ranked.rank == 0).drop("rank", "next_place")


def _placed(places: ibis.Table, named: ibis.Table) -> ibis.Table:
    """The rows with `place`, the position in the order of the course."""
    return places.inner_join(named, _PLACE).select(places, named.place)
