"""Viewings and their segments once more: one state per learner and video. `spec 03 §1.4, 1.7, 4.1`"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

Event = dict[str, Any]


class Viewing(NamedTuple):
    video: tuple[str, str]  # course run, video
    user: int
    start_time: datetime
    start: float
    end: float | None
    reason: str
    is_estimated: bool
    duration: float | None
    dropped: str
    is_mobile: bool
    elapsed: float | None = None


def viewings(events: Iterable[Event], *, compat: bool) -> list[Viewing]:
    """All plays, each with what ended it."""
    rows = [row for row in events if row["unused"] is None]
    groups = defaultdict(list)
    for row in rows:
        apart = () if compat else (row["session"], row["is_mobile"])
        groups[(row["course_id"], row["video"]), row["user_id"], apart].append(row)
    known = lengths(rows)
    found: list[Viewing] = []
    for (video, user, _), group in groups.items():
        in_order = sorted(group, key=_order)
        if compat:
            found += _of_the_original(video, user, in_order)
        else:
            found += _better(video, user, in_order, known.get(video))
    return found


def _order(row: Event) -> tuple[Any, ...]:
    old, duration = row["old_position"], row["duration"]
    return (
        row["time"], row["event_type"], row["position"], -1 if old is None else old,
        -1 if duration is None else duration,
    )  # fmt: skip


def lengths(rows: list[Event]) -> dict[tuple[str, str], float]:
    """The most frequent duration of each video's plays, of several the greatest."""
    told: dict[tuple[str, str], Counter[float]] = defaultdict(Counter)
    for row in rows:
        if row["event_type"] == "play_video" and row["duration"] and row["duration"] <= 36_000:
            told[row["course_id"], row["video"]][row["duration"]] += 1
    return {
        video: max(duration for duration, plays in found.items() if plays == max(found.values()))
        for video, found in told.items()
    }


def _of_the_original(video: tuple[str, str], user: int, events: list[Event]) -> Iterator[Viewing]:
    opened: Event | None = None
    start = 0.0
    last_end: Event | None = None
    for row in events:
        if row["event_type"] == "play_video":
            if opened is not None:
                told = _judged(video, user, opened, start, None, "play_video", opened["duration"])
                yield told._replace(elapsed=_elapsed(opened, row))
            start = row["position"]
            if last_end is not None and last_end["event_type"] == "seek_video":
                start = last_end["position"]
            opened, last_end = row, None
        elif opened is not None:
            end = row["old_position"] if row["event_type"] == "seek_video" else row["position"]
            told = _judged(video, user, opened, start, end, row["event_type"], opened["duration"])
            yield told._replace(elapsed=_elapsed(opened, row))
            opened, last_end = None, row
    if opened is not None:
        yield _judged(video, user, opened, start, None, "", opened["duration"])


def _better(video: tuple[str, str], user: int, events: list[Event], known: float | None) -> Iterator[Viewing]:
    opened: Event | None = None
    start = 0.0
    seek: Event | None = None
    for row in events:
        kind = row["event_type"]
        if opened is not None:
            elapsed = _elapsed(opened, row)
            length = known if opened["duration"] is None else opened["duration"]
            end = row["old_position"] if kind == "seek_video" else row["position"]
            is_estimated = False
            if kind == "play_video":
                end = None if length is None else min(start + elapsed, length)
                is_estimated = end is not None
            is_past = length is not None and end is not None and end > length + 1
            if end is not None and end > start + elapsed * 4 + 30 and not is_past:
                end, is_estimated = start + elapsed * 4 + 30, True
            yield _judged(video, user, opened, start, end, kind, length, is_estimated=is_estimated)._replace(
                duration=known, elapsed=elapsed
            )
            opened = None
            if kind in ("pause_video", "stop_video"):
                seek = None
        if kind == "seek_video":
            seek = row
        if kind == "play_video":
            opened, start = row, row["position"]
            if seek is not None and (row["time"] - seek["time"]).total_seconds() <= 10:
                start = seek["position"]
    if opened is not None:
        yield _judged(video, user, opened, start, None, "", None)._replace(duration=known)


def _elapsed(play: Event, end: Event) -> float:
    seconds: float = (end["time"] - play["time"]).total_seconds()
    return seconds


def _judged(
    video: tuple[str, str], user: int, play: Event, start: float, end: float | None, reason: str,
    length: float | None, *, is_estimated: bool = False,
) -> Viewing:  # fmt: skip
    dropped = ""
    if reason == "":
        dropped = "never ended"
    elif end is None:
        dropped = "played again before it ended"
    elif length is not None and end > length + 1:
        dropped = "ends after the video"
    elif end < start:
        dropped = "ends before it starts"
    elif end - start < 0.25:
        dropped = "too short"
    return Viewing(
        video, user, play["time"], start, end, reason, is_estimated, length, dropped, play["is_mobile"]
    )


def by_week(found: list[Viewing]) -> dict[tuple[str, date], tuple[int, int]]:
    """Learners and seconds of each video and Monday."""
    users: dict[tuple[str, date], set[int]] = defaultdict(set)
    watched: Counter[tuple[str, date]] = Counter()
    for each in _that_count(found):
        day = each.start_time.date()
        week = (each.video[1], day - timedelta(days=day.weekday()))
        users[week].add(each.user)
        watched[week] += _ms(each)
    return {week: (len(who), (watched[week] + 500) // 1000) for week, who in users.items()}


Watching = dict[tuple[str, str, str], tuple[int, int | None]]
"""(video, kind, value) -> learners, seconds"""


def watching(
    found: list[Viewing],
    captions: set[tuple[str, int]],
    tries: list[tuple[int, datetime, str]],
    modes: dict[int, str],
    cohorts: dict[int, str],
) -> Watching:
    """Who watches how: of one course run. Captions are (video, learner), tries (learner, time, problem).

    `modes` and `cohorts` are by learner.
    """
    users: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    watched: Counter[tuple[str, str, str]] = Counter()
    for each in _that_count(found):
        assert each.elapsed is not None
        values = {"device": "mobile" if each.is_mobile else "browser"}
        values |= {"track": modes.get(each.user, ""), "cohort": cohorts.get(each.user, "")}
        rate = int(_ms(each) * 100 / max(round(each.elapsed * 1000), 1))
        if _ms(each) >= 10_000 and 40 <= rate <= 250:
            values["speed"] = min(("2", "1.5", "1.25", "1", "0.75", "0.5"), key=lambda s: _apart(rate, s))
        for kind, value in values.items():
            if value:
                users[each.video[1], kind, value].add(each.user)
                watched[each.video[1], kind, value] += _ms(each)
    rows: Watching = {row: (len(who), (watched[row] + 500) // 1000) for row, who in users.items()}
    for video in {each.video[1] for each in _that_count(found)}:
        viewers = {each.user for each in _that_count(found) if each.video[1] == video}
        if shown := sum(1 for user in viewers if (video, user) in captions):
            rows[video, "captions", "shown"] = (shown, None)
    return rows | _next(found, tries)


def _next(found: list[Viewing], tries: list[tuple[int, datetime, str]]) -> Watching:
    acts = [(user, time, time, "problem", problem) for user, time, problem in tries]
    for each in found:
        lasted = each.duration or 0 if each.elapsed is None else each.elapsed
        end = each.start_time + timedelta(seconds=lasted)
        acts.append((each.user, each.start_time, end, "video", each.video[1]))
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for user, video in {(each.user, each.video[1]) for each in found}:
        mine = sorted((start, kind, block, end) for who, start, end, kind, block in acts if who == user)
        last = max(n for n, (_, kind, block, _) in enumerate(mine) if (kind, block) == ("video", video))
        value, following = "nothing", mine[last + 1 : last + 2]
        if following and following[0][0] - mine[last][3] <= timedelta(minutes=30):
            [(_, value, block, _)] = following
            counts[video, f"next_{value}"][block] += 1
        counts[video, "next"][value] += 1
    rows: Watching = {}
    for (video, kind), learners in counts.items():
        for block, n in sorted(learners.items(), key=lambda item: (-item[1], item[0]))[:3]:
            rows[video, kind, block] = (n, None)
    return rows


def _that_count(found: list[Viewing]) -> list[Viewing]:
    return [each for each in found if not each.dropped and not each.is_estimated]


def _ms(viewing: Viewing) -> int:
    assert viewing.end is not None
    return round(viewing.end * 1000) - round(viewing.start * 1000)


def _apart(rate: int, speed: str) -> float:
    return abs(rate - float(speed) * 100)


Video = tuple[int, int, int, int]  # duration, users_at_start, users_at_end, total_viewed_seconds
Segments = dict[int, tuple[int, int]]  # segment -> users, views


def usage(found: list[Viewing]) -> dict[tuple[str, str], tuple[Video, Segments]]:
    """The row of each video and the rows of its timeline."""
    of_video = defaultdict(list)
    for each in found:
        if not each.dropped and not each.is_estimated:
            of_video[each.video].append(each)
    return {video: _usage(group) for video, group in of_video.items()}


def _usage(found: list[Viewing]) -> tuple[Video, Segments]:
    users: dict[int, set[int]] = defaultdict(set)
    views: Counter[int] = Counter()
    for each in found:
        assert each.end is not None
        for segment in range(int(each.start) // 5, int(each.end) // 5 + 1):
            users[segment].add(each.user)
            views[segment] += 1
    durations = [each.duration for each in found]
    if None in durations:
        final = _drop_off({segment: len(who) for segment, who in users.items()})
        duration: float = (final + 1) * 5 - 1
    else:
        duration = max(each for each in durations if each is not None)
        final = int(duration) // 5
    completion = int(max(duration - 30, 0.95 * duration)) // 5
    rows: Segments = {}
    for segment in sorted(views):
        rows[segment] = (len(users[segment]), views[segment])
        if segment == final:
            break
    total = 5 * sum(views[segment] for segment in rows)
    return (int(duration), len(users.get(0, ())), len(users.get(completion, ())), total), rows


def _drop_off(users: dict[int, int]) -> int:
    observed = sorted(users, reverse=True)
    for after, before in pairwise(observed):
        if users[after] <= 0.05 * users[before]:
            return before
    return observed[0]


Place = tuple[str, int, int, int, int, int]  # kind, first and last segment, learners, of learners, expected


def places(found: list[Viewing], last: int, duration: int) -> list[Place]:
    """Peaks and drops of one video from its viewings that count, by hand: segment after segment."""
    again: dict[int, set[int]] = defaultdict(set)
    watched: dict[int, set[int]] = defaultdict(set)
    furthest: dict[int, float] = {}
    for user in sorted({each.user for each in found}):
        reached = 0
        mine = [(round(v.start * 1000), round(v.end * 1000)) for v in found if v.user == user and v.end]
        for start, end in sorted(mine):
            if min(end, reached) - start >= 1000:
                for segment in range(start // 5000, min(end, reached) // 5000 + 1):
                    again[segment].add(user)
            for segment in range(start // 5000, end // 5000 + 1):
                watched[segment].add(user)
            reached = max(reached, end)
        furthest[user] = reached // 5000
    rows: list[Place] = []
    for first, end, expected in _outstanding([len(again[segment]) for segment in range(last + 1)], 0):
        inside = range(first, end + 1)
        learners = set().union(*(again[segment] for segment in inside))
        everybody = set().union(*(watched[segment] for segment in inside))
        rows.append(("peak", first, end, len(learners), len(everybody), round(expected + 1e-9)))
    completion = max(duration - 30, duration * 95 // 100) // 5
    leavers = Counter(furthest.values())
    for first, end, expected in _outstanding([leavers[s] for s in range(min(completion, last + 1))], 1):
        left = sum(leavers[segment] for segment in range(first, end + 1))
        of = sum(count for segment, count in leavers.items() if segment >= first)
        rows.append(("drop", first, end, left, of, round(expected * (end - first + 1) + 1e-9)))
    rows += _skipped([len(watched[segment]) for segment in range(last + 1)])
    return [row for row in rows if row[3] >= 5 and row[3] >= row[4] / 20]


def _skipped(viewers: list[int]) -> Iterator[Place]:
    skips = [0 < max(viewers[place + 1 :], default=0) * 0.75 >= n for place, n in enumerate(viewers)]
    if False not in skips[1:25]:
        return
    end = skips.index(False, 1)
    opening = [place for place in range(end) if skips[place]]
    if len(opening) > 1:
        most = max(max(viewers[place + 1 :]) for place in opening)
        yield "skipped", opening[0], opening[-1], most - min(viewers[place] for place in opening), most, 0


def _outstanding(values: list[int], reach: int) -> Iterator[tuple[int, int, float]]:
    """First and last place of each part that stands out, and the mean around it."""

    def at(place: int) -> int:
        return sum(values[max(0, place - reach) : place + reach + 1])

    heights = [at(place) for place in range(len(values))]
    for place, height in enumerate(heights):
        around = [h for other, h in enumerate(heights) if 4 <= abs(other - place) <= 12]
        before, after = heights[max(0, place - 12) : place], heights[place + 1 : place + 13]
        if not around or height <= max(before, default=0) or height < max(after, default=0):
            continue
        mean = sum(around) / len(around)
        if height < 2 * mean or height <= mean or (height - mean) ** 2 < 25 * max(mean, 1):
            continue
        first = last = place
        while first > max(0, place - 6) and heights[first - 1] >= (height + mean) / 2:
            first -= 1
        while last < min(len(values) - 1, place + 6) and heights[last + 1] >= (height + mean) / 2:
            last += 1
        share = mean / (2 * reach + 1)
        good = [s for s in range(first, last + 1) if values[s] and values[s] >= 2 * share]
        yield good[0], good[-1], share
