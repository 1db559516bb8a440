"""Explains the numbers of each report, in words for course teams.

The definitions of the Data API say the same for technical readers; they are one click away.
"""

from __future__ import annotations

from pharos.insights import navigation
from pharos.insights.language import noop

ENROLLED = noop("A learner counts on a day if they are enrolled when that day ends, at 24:00 UTC.")
SELF_REPORTED = noop(
    "This is what learners said of themselves when they registered; whoever said nothing is in the table as "
    "“Not given” and in no share of the others."
)
NOW_ONLY = noop("Only learners who are enrolled on the last day counted are in it, not those who left.")
LMS_DIFFERS = noop(
    "The learning platform may show another number: it shows its list of enrollments as it is at this "
    "moment, with those entered by hand; here every enrollment counts of which there is an event."
)
STAFF = noop("Course staff count like everybody else, unless your operator leaves them out.")
ACTIVE = noop("Active = did anything in the course, such as opening a page; enrolling alone does not count.")
PROBLEMS = (
    noop(
        "Each learner counts once per part of a problem, with the last answer; “first attempt” counts the "
        "same learners once more, with their first answer. Answers between the two are not counted."
    ),
    noop(
        "Answers of a problem with several parts are those of an average part. Right is what the course "
        "graded as right when it was answered; right in part counts as right."
    ),
    noop(
        "A problem is called the hardest only if it and another one have at least 10 answers; with fewer it "
        "is too early to tell."
    ),
    noop("A survey has no right answer, so that all its answers count as wrong."),
    STAFF,
)

VIDEOS = (
    noop(
        "Viewers of a video = learners who watched its first five seconds or, where these are more, who "
        "reached its end; with several videos, a learner counts once in each. Only positions in the video "
        "count, whatever the speed."
    ),
    noop(
        "Reached the end = watched the five seconds at 95%% of the video (of one over ten minutes, those "
        "30 seconds before its end). Whoever skips to the end reaches it; covered at least 95%% counts only "
        "what was watched."
    ),
    noop(
        "Replays = times that five seconds were played beyond the first time of each viewer. Whoever pauses "
        "and goes on there plays them twice."
    ),
    noop(
        "A part is a peak or a drop if clearly more learners watch it again, or leave in it, than in the "
        "parts 20 to 60 seconds before and after: twice as many, and more than chance explains. An opening "
        "is skipped if its parts have three quarters of the viewers of a later part or less."
    ),
    noop(
        "Speed is worked out from the clock, for viewings of ten seconds or more: how much of the video was "
        "played in which time. Minutes are those of the video. Who has captions from the start shows none."
    ),
    noop(
        "More learners press play than watch any of a video: where no event tells how far they came, the "
        "play counts only for what they do next."
    ),
    noop(
        "Next is the first other video that is played, or problem that is tried, within 30 minutes after the "
        "last play of the video. Weeks begin on Monday, UTC; a viewing is of the week in which it began."
    ),
    noop(
        "Sums of several videos add up what each of them loses; edX Insights subtracts the sums, which hides "
        "the losses of one behind the gains of another."
    ),
    STAFF,
)

EXPLANATIONS: dict[str, tuple[str, ...]] = {
    navigation.ENROLLMENT_ACTIVITY.key: (
        ENROLLED,
        noop("Current = all tracks together. A move to another track changes both tracks and not the sum."),
        noop(
            "Total is everybody who was ever enrolled, also those who left. Change is those who joined minus "
            "those who left."
        ),
        noop(
            "Joined = enrolled at the end of the day and not at the end of the day before; left is the "
            "opposite. Whoever joins and leaves on one day is in neither; over several days, whoever leaves "
            "and comes back is in both."
        ),
        noop(
            "Passing = learners who pass by their grade in the LMS, from the day on which they passed first. "
            "Whoever passed and does not pass any more counts on no day."
        ),
        LMS_DIFFERS,
        STAFF,
    ),
    navigation.AGE.key: (
        noop(
            "Age = the year of the last day counted minus the year of birth, so that it can be one year too "
            "high. The median is the age that half of the learners do not exceed."
        ),
        SELF_REPORTED,
        NOW_ONLY,
    ),
    navigation.EDUCATION.key: (
        noop("Share of a level = learners who gave it, of all who gave any level."),
        SELF_REPORTED,
        NOW_ONLY,
    ),
    navigation.GENDER.key: (
        noop("Share = learners who gave this answer, of all who gave any, on the last day shown."),
        SELF_REPORTED,
        ENROLLED,
    ),
    navigation.GEOGRAPHY.key: (
        noop(
            "A learner counts in the country of their latest connection. A journey, a company network or a "
            "VPN can make that another country than the one they live in."
        ),
        noop("Share = learners of the country, of all who are enrolled, also those of unknown country."),
        NOW_ONLY,
    ),
    navigation.ENGAGEMENT_CONTENT.key: (
        noop(
            "A learner counts once in a week (seven days, UTC), however often they were active. "
            "The same learner may count in every column."
        ),
        ACTIVE,
        noop(
            "Share of enrolled = active learners of the week, divided by those enrolled when it ended. "
            "Whoever was active and left before is among the active; if more were active than enrolled, the "
            "page says how many at least were not."
        ),
        noop("A week counts when it is over; a week in which nobody was active is zero."),
        STAFF,
    ),
    navigation.COURSE_FLOW.key: (
        noop(
            "Reached = opened the place or anything in it. On each level a learner counts once, however many "
            "units they opened."
        ),
        noop(
            "Stop here = the last place of a learner who is quiet, slowing down or has left. Who passed has "
            "not stopped."
        ),
        noop(
            "Completed = everything in it that the learning platform marks as complete. A dash: it marks "
            "nothing there."
        ),
        noop("The last run is compared by the names of sections and subsections."),
        STAFF,
    ),
    navigation.VIDEOS.key: VIDEOS,
    navigation.VIDEO_MAP.key: (*VIDEOS, ACTIVE),
    navigation.GRADED.key: PROBLEMS,
    navigation.UNGRADED.key: PROBLEMS,
    navigation.COURSE_MAP.key: PROBLEMS,
    navigation.LEARNERS.key: (
        noop(
            "Everybody who ever enrolled is in the list, also those who left. Figures are of the last seven "
            "days counted, UTC: distinct problems and videos, and contributions to discussions."
        ),
        noop(
            "Low is the lowest 15%% of the learners who took part in these days, high the highest 15%%. "
            "Whoever took no part has no mark."
        ),
        noop(
            "Highly engaged: high in problems, videos or discussions. Struggling: high in attempts per right "
            "problem. Disengaging: took part in the seven days before and not in these."
        ),
        noop(
            "Took part = tried a problem, played a video or wrote in a discussion. The status looks at "
            "everything that somebody does in the course, such as opening a page: who reads without taking "
            "part is active."
        ),
        noop("Who looks at single learners, at whom and when is written into the audit log."),
        STAFF,
    ),
    navigation.OUTCOMES.key: (
        noop(
            "Every submission counts: who tries three times counts three times. The pages of graded and "
            "ungraded problems count each learner with the last answer."
        ),
        noop(
            "Outcome and difficulty are tags that the authors gave to a problem. A problem counts in each of "
            "its outcomes, so that these do not add up to the whole."
        ),
        STAFF,
    ),
}
