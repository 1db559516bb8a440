"""Videos: who watched which part."""

from __future__ import annotations

from sqlalchemy import Integer

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, result

_SOURCE = (
    "Events play_video, pause_video, stop_video, seek_video and those of the mobile app in the tracking logs."
)
_VIDEO_ID = "Course id, `|`, encoded id of the video."

video = result(
    "video",
    Definition(
        title="Videos",
        version=1,
        meaning="Each video of a course that somebody watched, with its viewers at start and end.",
        formula=(
            "users_at_start = distinct learners who watched the first segment; users_at_end = those who "
            "watched "
            "the segment at 95 % of the duration, in videos over ten minutes that 30 seconds before the end."
        ),
        edge_cases=(
            "Viewings under a quarter of a second do not count.",
            "If the duration is unknown, the end is where viewing drops to a twentieth.",
        ),
        source=_SOURCE,
        spec="03 §1",
    ),
    column("pipeline_video_id", Exact(255), _VIDEO_ID, nullable=False),
    course_id(),
    column("encoded_module_id", Exact(255), "Id of the video as players write it.", nullable=False),
    column("duration", Integer(), "Seconds; -1 is unknown."),
    column("segment_length", Integer(), "Seconds in a segment."),
    column("users_at_start", Integer(), "Distinct learners in the first segment."),
    column("users_at_end", Integer(), "Distinct learners near the end."),
    column("total_viewed_seconds", Integer(), "5 times the views of all segments: an upper estimate."),
    key=("pipeline_video_id",),
    indexes=(("course_id", "encoded_module_id"),),
)

video_timeline = result(
    "video_timeline",
    Definition(
        title="Video timeline",
        version=1,
        meaning="Viewers and views of each five seconds of a video.",
        formula=(
            "num_users = distinct learners who watched any part of the segment; num_views = viewings that "
            "touched it. num_views minus num_users are replays."
        ),
        edge_cases=(
            "A segment nobody watched has no row.",
            "A pause inside a segment makes two views of it.",
        ),
        source=_SOURCE,
        spec="03 §1.7",
    ),
    column("pipeline_video_id", Exact(255), _VIDEO_ID, nullable=False),
    column("segment", Integer(), "Number of the segment, from 0.", nullable=False),
    column("num_users", Integer(), "Distinct learners."),
    column("num_views", Integer(), "Views."),
    key=("pipeline_video_id", "segment"),
    indexes=(("pipeline_video_id",),),
)
