"""Counts of video viewers: at start and end, and second by second (spec 06 §9.10-9.11). Pure.

A learner is a viewer of each video that they watched: in sums of several videos they count in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pharos.insights.api import Row
from pharos.insights.shares import lowest_of_several

PEAK, DROP, SKIPPED = "peak", "drop", "skipped"
"""Kinds of places: watched again, left, not watched at the beginning."""
COMPLETE = 95
"""Percent of a video: who covered as much has watched it."""


@dataclass(frozen=True)
class Viewers:
    """Viewers of one or more videos: those near its end (complete), and all further ones (incomplete).

    The original subtracts the sums of several videos, so that one with more viewers at the end than at the
    start hides the losses of another; here each video is subtracted separately.
    """

    complete: int = 0
    incomplete: int = 0

    @property
    def total(self) -> int:
        return self.complete + self.incomplete

    @property
    def share(self) -> float | None:
        """The share of viewers who reached the end; None without viewers."""
        return self.complete / self.total if self.total else None


NOBODY = Viewers()


@dataclass(frozen=True)
class Video:
    """A watched video, from the Data API."""

    video_id: str
    """As players write it."""
    duration: int | None
    """Seconds; None if unknown."""
    segment_length: int
    started: int
    finished: int

    @property
    def viewers(self) -> Viewers:
        """Viewers of the video. There may be more at its end than at its start: learners skip beginnings."""
        return Viewers(self.finished, max(self.started - self.finished, 0))


@dataclass(frozen=True)
class Line:
    """A line of a list: a video or a group of videos. `href` is empty if nobody watched."""

    order: int
    name: str
    viewers: Viewers
    href: str = ""
    videos: int = 1
    note: str = ""
    """The second line below its name."""

    def per_video(self, count: int) -> float:
        """A count divided by the number of all videos of the line, including unwatched ones."""
        return count / self.videos if self.videos else 0.0


@dataclass(frozen=True)
class Moment:
    """Viewers and replays in some seconds of a video, from `start` on."""

    start: int
    viewers: int
    replays: int


def videos_of(rows: Iterable[Row]) -> dict[str, Video]:
    """The watched videos, by their id in players' events."""
    found = [_video(row) for row in rows]
    return {video.video_id: video for video in found if video.viewers.total}


def _video(row: Row) -> Video:
    duration = row["duration"]
    return Video(
        row["encoded_module_id"],
        duration if duration is not None and duration > 0 else None,
        row["segment_length"] or 5,
        row["users_at_start"] or 0,
        row["users_at_end"] or 0,
    )


def total(videos: Mapping[str, Video], video_ids: Iterable[str]) -> Viewers:
    """The sums over the videos; unwatched videos count as zero."""
    found = [videos[video_id].viewers for video_id in video_ids if video_id in videos]
    return Viewers(sum(v.complete for v in found), sum(v.incomplete for v in found))


def least_finished(videos: Sequence[Line]) -> Line | None:
    """The video with the lowest share of finishing viewers; None if fewer than two have enough viewers.

    Ties are decided by the number of viewers, then by the order of the list.
    """
    return lowest_of_several(videos, lambda line: line.viewers)


def moments_of(rows: Iterable[Row], video: Video) -> list[Moment]:
    """All parts of the video from its start to its end, or to the last watched part (spec 06 §9.11, 1-4).

    The original shows the last part twice; here the chart does so, and the table does not.
    """
    by_segment = {row["segment"]: (row["num_users"] or 0, row["num_views"] or 0) for row in rows}
    if not by_segment:
        return []
    last = max(by_segment)
    if video.duration is not None and len(by_segment) > 1:
        last = max(last, video.duration // video.segment_length)
    found = [(segment, *by_segment.get(segment, (0, 0))) for segment in range(last + 1)]
    return [
        Moment(segment * video.segment_length, users, max(views - users, 0))
        for segment, users, views in found
    ]


def covered(rows: Iterable[Row], least: int = COMPLETE) -> int:
    """Learners who have watched at least this percentage."""
    return sum(row["num_users"] for row in rows if row["covered_percent"] >= least)
