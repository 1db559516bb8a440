"""Videos: viewers by part of a video."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer

from pharos.result_store.column_types import Exact, number
from pharos.result_store.tables.base import Definition, column, course_id, result

_SOURCE = (
    "Events play_video, pause_video, stop_video, seek_video and those of the mobile app in the tracking logs."
)
_VIDEO_ID = "Course id, `|`, encoded id of the video."


def _of_video() -> tuple[Column[Any], ...]:
    """The columns that name a video."""
    return (
        column("pipeline_video_id", Exact(255), _VIDEO_ID, nullable=False),
        course_id(),
        column("encoded_module_id", Exact(255), "Id of the video as players write it.", nullable=False),
    )


viewing = result(
    "viewing",
    Definition(
        title="Viewings",
        version=1,
        meaning="Every time a learner played a video: when, from where to where, and what ended it.",
        formula=(
            "A viewing begins with a play and ends with the learner's next event of the video. It starts "
            "where the play says, or where the seek before it led."
        ),
        edge_cases=(
            "Viewings that do not count are here too; `dropped` says why.",
            "If it is played again before it ended, its end is estimated: by the clock, at most the video's.",
            "A viewing longer than four times the clock and 30 seconds is cut there: its end is estimated.",
            "At the same time a pause comes before a play, a seek and a stop.",
        ),
        window="The whole history up to the last day.",
        source=_SOURCE,
        spec="03 §1.4",
        differences=(
            "Sessions of a browser and the mobile app are kept apart.",
            "The latest seek counts, for a play up to ten seconds after it, until something was watched.",
            "The length of a video is that of the LMS's outline, else the one most plays tell.",
            "Nothing is asked of YouTube.",
            "With video.compat viewings are those of the original.",
        ),
        persons="user_id",
    ),
    course_id(),
    column("encoded_module_id", Exact(255), "Id of the video as players write it.", nullable=False),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    column("session", Exact(255), "Session of the play; empty if it carries none.", nullable=False),
    column("is_mobile", Boolean(), "Whether the mobile app played it.", nullable=False),
    column("number", BigInteger(), "Grows with the time of the learner's plays.", nullable=False),
    column("start_time", DateTime(), "When the play was, UTC.", nullable=False),
    column("start_offset", number, "Second of the video where it starts.", nullable=False),
    column("end_offset", number, "Second where it ends; null if that is not known."),
    column("reason", Exact(255), "Type of the event that ended it; empty for none.", nullable=False),
    column("elapsed", number, "Seconds by the clock until that event; null if nothing ended it."),
    column("is_estimated", Boolean(), "Whether the end is estimated or cut.", nullable=False),
    column("duration", number, "Seconds of the whole video; null if unknown."),
    column("dropped", Exact(255), "Why it does not count; empty if it does.", nullable=False),
    key=("course_id", "encoded_module_id", "user_id", "session", "is_mobile", "number"),
    indexes=(),
    is_published=False,
)

video_segment = result(
    "video_segment",
    Definition(
        title="Parts of videos",
        version=1,
        meaning="Viewers and views of each five seconds of a video, and what is known of the whole video.",
        formula="The tables video and video_timeline are made from these rows.",
        edge_cases=(
            "A segment nobody watched has no row.",
            "A pause inside a segment makes two views of it.",
            "A viewing that ends where a segment starts touches it.",
            "Viewings whose end is estimated do not count.",
        ),
        source=_SOURCE,
        spec="03 §1.7",
    ),
    *_of_video(),
    column("segment", Integer(), "Number of the segment, from 0.", nullable=False),
    column("num_users", Integer(), "Distinct learners.", nullable=False),
    column("num_views", Integer(), "Views.", nullable=False),
    column("duration", Integer(), "Seconds of the video, known or guessed.", nullable=False),
    column("users_at_start", Integer(), "Distinct learners in the first segment.", nullable=False),
    column("users_at_end", Integer(), "Distinct learners near the end.", nullable=False),
    key=("course_id", "encoded_module_id", "segment"),
    indexes=(),
    is_published=False,
)

video_learner = result(
    "video_learner",
    Definition(
        title="What learners watched of videos",
        version=1,
        meaning="How long each learner watched a video, and how much of it at least once.",
        formula="Seconds of the viewings that count; what was watched twice is covered once.",
        edge_cases=(
            "Viewings whose end is estimated do not count.",
            "The share is of the video's duration, which is guessed where nobody tells it.",
        ),
        window="The whole history up to the last day.",
        source=_SOURCE,
        spec="03 §4.1",
        persons="user_id",
    ),
    *_of_video(),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    column("viewings", BigInteger(), "Viewings that count.", nullable=False),
    column("watched_ms", BigInteger(), "Thousandths of a second watched.", nullable=False),
    column("covered_ms", BigInteger(), "Thousandths of a second watched at least once.", nullable=False),
    column("covered_percent", Integer(), "Whole percents of the video covered.", nullable=False),
    key=("course_id", "encoded_module_id", "user_id"),
    indexes=(),
    is_published=False,
)

video_coverage = result(
    "video_coverage",
    Definition(
        title="How much of videos is watched",
        version=1,
        meaning="Learners of each video by the share of it that they have watched at least once.",
        formula=(
            "Seconds of a video that a learner watched, each once, divided by its duration; in tenths, and "
            "95 % or more together."
        ),
        edge_cases=(
            "Who skips to the end has not watched it.",
            "90 stands for 90 % up to less than 95 %.",
            "A share that no learner has is no row.",
            "Viewings whose end is estimated do not count.",
            "The duration is guessed where nobody tells it.",
        ),
        window="The whole history up to the last day.",
        source=_SOURCE,
        spec="03 §4.1",
    ),
    *_of_video(),
    column("covered_percent", Integer(), "Least share in percent: 0, 10, … 90, 95.", nullable=False),
    column("num_users", Integer(), "Distinct learners.", nullable=False),
    key=("pipeline_video_id", "covered_percent"),
    indexes=(("course_id",), ("pipeline_video_id",)),
)

video_place = result(
    "video_place",
    Definition(
        title="Peaks, drops and skipped openings of videos",
        version=1,
        meaning=(
            "Parts of a video that clearly more learners watch again, or leave in, than those around; and "
            "openings that they skip."
        ),
        formula=(
            "Peak: learners who watch some of it again, a second or more. Drop: learners who have watched "
            "nothing after it. A part stands out if its busiest five seconds have twice the mean of the "
            "surroundings or more, and more than that mean by five times its square root; the surroundings "
            "are the five-second parts 20 to 60 seconds before and after. Skipped: the opening, of ten "
            "seconds to two minutes, whose parts have three quarters of the viewers of a later part or less."
        ),
        edge_cases=(
            "It reaches as far as numbers are above the middle of both, at most 30 seconds to each side.",
            "Learners who leave are counted in parts of fifteen seconds; a mean of less than 1 counts as 1.",
            "Parts with fewer than 5 learners, or with less than a twentieth, do not count.",
            "Who watches 95 % of a video (of one over ten minutes all but 30 seconds) does not leave it.",
            "Of an opening, learners are the most viewers of a later part without those of its least part.",
            "Viewings whose end is estimated do not count.",
        ),
        window="The whole history up to the last day.",
        source=_SOURCE,
        spec="03 §4.2",
    ),
    *_of_video(),
    column("kind", Exact(16), "peak, drop or skipped.", nullable=False),
    column("start_second", Integer(), "Second of the video where it starts.", nullable=False),
    column("end_second", Integer(), "Second where it ends.", nullable=False),
    column("learners", Integer(), "Who watch it again, leave in it, or skip it.", nullable=False),
    column(
        "of_learners", Integer(), "Who watch it, have not left before it, or watch later.", nullable=False
    ),
    column(
        "expected", Integer(), "Learners that the surroundings let expect; 0 of openings.", nullable=False
    ),
    key=("pipeline_video_id", "kind", "start_second"),
    indexes=(("course_id",), ("pipeline_video_id",)),
    may_shrink=True,
)

video_week = result(
    "video_week",
    Definition(
        title="Videos by week",
        version=1,
        meaning="Learners who watched a video in each week, and how long they watched it together.",
        formula="A viewing is of the week in which it began; weeks begin on Monday, UTC.",
        edge_cases=(
            "The latest week is there from its first day on: it may not be complete.",
            "Seconds are those of the video: whoever watches it twice as fast needs half the time.",
            "What is watched twice counts twice.",
            "A week in which nobody watched the video is no row.",
            "Viewings whose end is estimated do not count.",
        ),
        window="The whole history up to the last day.",
        source=_SOURCE,
        spec="03 §4.1",
    ),
    *_of_video(),
    column("week", Date(), "Monday of the week.", nullable=False),
    column("num_users", Integer(), "Distinct learners who watched the video.", nullable=False),
    column("watched_seconds", BigInteger(), "Seconds of the video watched, rounded.", nullable=False),
    key=("pipeline_video_id", "week"),
    indexes=(("course_id",), ("pipeline_video_id",)),
)

video_watching = result(
    "video_watching",
    Definition(
        title="How videos are watched",
        version=2,
        meaning=(
            "Learners of each video by speed, device, captions, track and cohort, and by what they do after "
            "it."
        ),
        formula=(
            "speed: seconds of the video that a viewing covers, by the seconds that it took, to the nearest "
            "of 0.5, 0.75, 1, 1.25, 1.5 and 2. device: the mobile app, or a browser. captions: viewers who "
            "showed the captions or the transcript. track: the enrollment mode of the last day. cohort: "
            "that of the last day; of somebody in several the first by name. next: after the last play of "
            "the video, whatever of another video and a submitted problem came first within 30 minutes; "
            "next_video and next_problem are the three of them to which most go."
        ),
        edge_cases=(
            "A learner counts once in each value, and may have several speeds and devices.",
            "Viewings shorter than ten seconds tell no speed, nor those slower than 0.4 or faster than 2.5.",
            "A player that waits for its file seems slower than it plays.",
            "Players that show captions from the start tell nothing of it: those learners are missing.",
            "Learners without an enrollment have no track; those who left have the one that they left in.",
            "Learners without a cohort are in no row of the kind cohort.",
            "next counts everybody who played the video; forums, texts and other courses are nothing.",
            "A play that nothing ended lasts as long as its video.",
            "Viewings whose end is estimated count for next alone.",
        ),
        window="The whole history up to the last day.",
        source=(
            "Events play_video, pause_video, stop_video, seek_video, show_transcript, "
            "edx.video.closed_captions.shown, problem_check and those of enrollment in the tracking logs; "
            "the LMS tables course_groups_courseusergroup and course_groups_cohortmembership."
        ),
        spec="03 §4.1",
    ),
    *_of_video(),
    column(
        "kind",
        Exact(16),
        "speed, device, captions, track, cohort, next, next_video or next_problem.",
        nullable=False,
    ),
    column(
        "value",
        Exact(255),
        "The speed; mobile or browser; shown; mode; cohort; video, problem or nothing; or the block's id.",
        nullable=False,
    ),
    column("num_users", Integer(), "Distinct learners.", nullable=False),
    column(
        "watched_seconds",
        BigInteger(),
        "Seconds of the video that they watched so, rounded; null of captions and of what comes next.",
    ),
    key=("pipeline_video_id", "kind", "value"),
    key_is_indexed=False,
    indexes=(("course_id",), ("pipeline_video_id",)),
    may_shrink=True,
)

video_event_use = result(
    "video_event_use",
    Definition(
        title="Use of video events",
        version=1,
        meaning="Events of players and viewings of each course run by the reason why they do not count.",
        formula="Events are those that begin or end a viewing; viewings are those of the table viewing.",
        edge_cases=(
            "The reason is empty for those that count.",
            "Events that end no viewing are counted among the viewings, as outside a viewing.",
        ),
        source=_SOURCE,
        spec="03 §1.4",
    ),
    course_id(),
    column("kind", Exact(255), "event or viewing.", nullable=False),
    column("reason", Exact(255), "Why it does not count; empty if it does.", nullable=False),
    column("count", BigInteger(), "How many.", nullable=False),
    key=("course_id", "kind", "reason"),
    indexes=(),
    is_published=False,
)

video = result(
    "video",
    Definition(
        title="Videos",
        version=1,
        meaning="Each video of a course that somebody watched, with its viewers at start and end.",
        formula=(
            "users_at_start = distinct learners who watched the first segment; users_at_end = those who "
            "watched the segment at 0.95 of the duration, in videos over ten minutes that 30 seconds before "
            "the end."
        ),
        edge_cases=(
            "Viewings under a quarter of a second do not count.",
            "If the duration is unknown, the end is where viewing drops to a twentieth.",
            "Viewings whose end is estimated do not count.",
        ),
        source=_SOURCE,
        spec="03 §1",
        differences=(
            "The duration is that of the LMS's outline, else the one most plays tell.",
            "Events of another session or of the mobile app end no viewing.",
            "With video.compat both tables of videos are those of the original.",
        ),
    ),
    *_of_video(),
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
