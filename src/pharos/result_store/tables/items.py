"""Parts of problems as questions: difficulty and discrimination, and the answers given.

Pharos only: the original has no such tables.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer

from pharos.result_store.column_types import Exact, long_text, number
from pharos.result_store.tables.base import Definition, column, course_id, module_id, result

_SUBMISSIONS = "Events problem_check from the server in the tracking logs."
_TOO_FEW = "Null is too few to tell: a share, mean or quantile of fewer than 10 learners is not told."
_THIRDS = (
    "Strong and weak learners are the upper and the lower third by rest score, of those who tried the part "
    "and have one: strong if fewer than a third have a higher score, weak if fewer than a third have a lower "
    "one, neither if both are true."
)
_REST = (
    "The rest score of a learner is the share right at first of the parts of all other problems of the "
    "course run that the learner tried; learners who tried fewer than 3 such parts have none."
)
_FIRST_LAST = (
    "First and last are the learner's first and last submission that shows the part (of this variant, in a "
    "row of a variant)."
)
_RIGHT = "Right in part counts as right; a part left empty is an answer."
_VARIANTS = (
    "The row with variant null is of all variants together; a randomised problem has a further row for each "
    "seed that 10 learners or more tried."
)


def _part_id() -> Column[Any]:
    return column("part_id", Exact(255), "Input of the problem, e.g. …_2_1.", nullable=False)


def _variant() -> Column[Any]:
    return column("variant", Integer(), "Seed of a randomised problem; null: all variants together.")


def _count(name: str, meaning: str) -> Column[Any]:
    return column(name, Integer(), meaning, nullable=False)


learner_item = result(
    "learner_item",
    Definition(
        title="Learners' answers to each part",
        version=1,
        meaning="Each learner's first and last answer to each part of each problem.",
        formula=_FIRST_LAST + " " + _REST,
        edge_cases=(
            _RIGHT,
            _THIRDS,
            "Learners are told apart by their number in the LMS, by the user name where no event tells it.",
            (
                "Answers are the same if their internal values, or else their texts, begin with the same 255 "
                "characters."
            ),
            "The row with an empty variant is of all variants together.",
        ),
        window="The whole history up to the last day.",
        source=_SUBMISSIONS,
        spec="02 §13",
        persons="user_id",
    ),
    course_id(),
    module_id(),
    _part_id(),
    column("variant", Exact(255), "Seed of a randomised problem; empty: all variants.", nullable=False),
    column(
        "user_id", BigInteger(), "Number of the learner in the LMS; 0: no event tells it.", nullable=False
    ),
    column("username", Exact(255), "User name of a learner without a number; else empty.", nullable=False),
    _count("attempts", "Submissions that show the part."),
    column("first_moment", BigInteger(), "Order of the first of them.", nullable=False),
    column("last_moment", BigInteger(), "Order of the last of them.", nullable=False),
    column("first_right", Boolean(), "Whether the first answer is right.", nullable=False),
    column("last_right", Boolean(), "Whether the last answer is right.", nullable=False),
    column("first_value", Exact(255), "The first answer: internal value or text.", nullable=False),
    column("last_value", Exact(255), "The last answer.", nullable=False),
    column("rest_score", Integer(), "The rest score in thousandths."),
    column("third", Exact(255), "strong, weak, or empty.", nullable=False),
    key=("course_id", "module_id", "part_id", "variant", "user_id", "username"),
    indexes=(),
    is_published=False,
)

item_content = result(
    "item_content",
    Definition(
        title="What each part said",
        version=1,
        meaning="Question, and text and correctness of each answer, as submissions told them.",
        formula="Submissions that tell the same, with the first and the last of them.",
        edge_cases=(
            "Texts are cut to 255 characters, questions to 1,000.",
            "Events before March 2014 tell no question and no text of a choice.",
        ),
        window="The whole history up to the last day.",
        source=_SUBMISSIONS,
        spec="02 §3",
    ),
    course_id(),
    module_id(),
    _part_id(),
    column("variant", Exact(255), "Seed of a randomised problem; else empty.", nullable=False),
    column("value", Exact(255), "The answer: internal value or text.", nullable=False),
    column("is_choice", Boolean(), "Whether the text of a choice is told.", nullable=False),
    column("text", Exact(255), "The text of the choice without HTML, or the answer.", nullable=False),
    column("is_correct", Boolean(), "Whether the answer is right.", nullable=False),
    column("question", long_text, "The question; empty if it is not told.", nullable=False),
    column("problem_name", Exact(255), "Name of the problem; empty if it is not told.", nullable=False),
    column("response_type", Exact(255), "Kind of response; empty if it is not told.", nullable=False),
    _count("submissions", "Submissions that tell this."),
    column("first_moment", BigInteger(), "Order of the first of them.", nullable=False),
    column("last_moment", BigInteger(), "Order of the last of them.", nullable=False),
    column("first_time", DateTime(), "Time of the first of them, UTC.", nullable=False),
    key=(
        "course_id", "module_id", "part_id", "variant", "value", "is_choice", "text", "is_correct",
        "question", "problem_name", "response_type",
    ),
    indexes=(),
    is_published=False,
)  # fmt: skip

item_answer = result(
    "item_answer",
    Definition(
        title="Answers of strong and weak learners",
        version=1,
        meaning="How many learners gave each answer to each part first and last, and who they are.",
        formula=(
            "Learners by their first and by their last answer; strong_share = strong learners whose first "
            "answer it is / strong learners who tried the part, weak_share likewise."
        ),
        edge_cases=(
            _TOO_FEW,
            _REST,
            _THIRDS,
            _FIRST_LAST,
            _RIGHT,
            _VARIANTS,
            "The 50 most frequent answers (first and last together) have a row each.",
            "All others are one more row, which tells how many answers it holds.",
            "The answer distribution and the reports hold every answer.",
            "Text and correctness are those of the most recent submission with the answer.",
        ),
        window="The whole history up to the last day.",
        source=_SUBMISSIONS,
        spec="02 §4",
        differences=("The answer distribution takes first and last submission of the whole problem.",),
    ),
    course_id(),
    module_id(),
    _part_id(),
    _variant(),
    _count("place", "1 for the most frequent answer; 51 for all others together."),
    _count("answers", "Distinct answers that the row holds: 1, but for all others together."),
    column("value_id", Exact(255), "Id of the choice; null for typed answers."),
    column("answer_value", Exact(255), "The answer as text, cut to 255 characters."),
    column("is_correct", Boolean(), "Whether the answer is right; null for all others together."),
    _count("first_count", "Learners whose first answer it is."),
    _count("last_count", "Learners whose last answer it is."),
    _count("strong_count", "Strong learners whose first answer it is."),
    _count("weak_count", "Weak learners whose first answer it is."),
    column("strong_share", number, "Share of the strong learners whose first answer it is."),
    column("weak_share", number, "Share of the weak learners whose first answer it is."),
    column("first_seen", DateTime(), "When the answer was submitted first, UTC.", nullable=False),
    key=("course_id", "module_id", "part_id", "variant", "place"),
    key_is_indexed=False,
    indexes=(("course_id",), ("module_id",), ("course_id", "module_id")),
    may_shrink=True,
)

item_quality = result(
    "item_quality",
    Definition(
        title="Item quality",
        version=1,
        meaning="Who tried each part of a problem and was right, and how well it tells learners apart.",
        formula=(
            "difficulty = learners whose first answer is not right / learners who tried. discrimination = "
            "correlation (point-biserial) of being right at first with the rest score. Columns count "
            "learners unless their name says attempts."
        ),
        edge_cases=(
            _TOO_FEW,
            "A discrimination of fewer than 20 learners with a rest score is not told either.",
            "It is null where all are right, nobody is, or all have one score.",
            "The interval holds 95 %, by Fisher's transformation.",
            _REST,
            _THIRDS,
            _FIRST_LAST,
            _RIGHT,
            _VARIANTS,
            (
                "seen = learners of whom the LMS keeps a state of the problem, at least those who tried; "
                "null where it keeps none of anybody."
            ),
            (
                "Neither events nor the LMS's table tell when a learner first saw a problem: there is no "
                "time from view to answer."
            ),
            (
                "A part has changed if its question, or text or correctness of an answer (of each seed), was "
                "told one way by 5 submissions or more, and another way by all later ones, 5 or more."
            ),
            "changed_at is the first submission that tells the content after the last change.",
            "Median and 90th percentile lie between two learners as far as their place does.",
        ),
        window="The whole history up to the last day.",
        source=_SUBMISSIONS
        + " Events showanswer and edx.problem.hint.demandhint_displayed; the LMS table "
        + "courseware_studentmodule.",
        spec="02 §13",
    ),
    course_id(),
    module_id(),
    _part_id(),
    _variant(),
    column("problem_display_name", Exact(255), "Name of the problem."),
    column("question_text", long_text, "The question, its first 1,000 characters."),
    column("response_type", Exact(255), "Kind of response, e.g. multiplechoiceresponse."),
    _count("variants", "Seeds of the part that were answered; 0 if it is not randomised."),
    column("seen", Integer(), "Learners who saw the problem; null in rows of a variant."),
    _count("tried", "Learners who submitted an answer."),
    _count("right_first", "Learners whose first answer is right."),
    _count("right_last", "Learners whose last answer is right."),
    _count("attempts", "Submissions of all these learners."),
    column("attempts_mean", number, "Mean number of attempts of a learner."),
    column("attempts_median", number, "Median number of attempts of a learner."),
    column("attempts_p90", number, "90th percentile of the number of attempts of a learner."),
    column("difficulty", number, "Share of the learners whose first answer is not right: 0 easy, 1 hard."),
    column("discrimination", number, "Correlation with the rest of the course, from -1 to 1."),
    column("discrimination_low", number, "Lower end of its interval."),
    column("discrimination_high", number, "Upper end of its interval."),
    _count("discrimination_learners", "Learners with a rest score."),
    _count("strong_learners", "Strong learners who tried."),
    _count("strong_right", "Strong learners whose first answer is right."),
    _count("weak_learners", "Weak learners who tried."),
    _count("weak_right", "Weak learners whose first answer is right."),
    column("shown_answer", Integer(), "Learners to whom the problem's answer was shown; null for a variant."),
    column("hinted", Integer(), "Learners who asked for a hint of the problem; null for a variant."),
    column("changed_at", DateTime(), "First submission after the last edit, UTC; null: no edit is seen."),
    column("tried_since", Integer(), "Learners whose first answer is of then or later."),
    column("right_first_since", Integer(), "Those of them whose first answer is right."),
    key=("course_id", "module_id", "part_id", "variant"),
    key_is_indexed=False,
    indexes=(("course_id",), ("module_id",), ("course_id", "module_id")),
    may_shrink=True,
)

finding = result(
    "finding",
    Definition(
        title="Findings",
        version=3,
        meaning="What a course team should look at first, with its evidence.",
        formula=(
            "wrong_answer_preferred (look at the key): a wrong answer that more strong learners give first "
            "than all right answers, and a quarter of them or more. "
            "nobody_right (look at the key, then at the question): no first and no last answer is right. "
            "negative_discrimination (look at the wording): the whole interval of the discrimination is "
            "below 0. "
            "answer_after_change (look at what was edited): a tenth or more of the learners since the last "
            "edit gave an answer that nobody gave before. "
            "never_tried (look at its place, and whether it works): no submission, though learners reached "
            "its unit. "
            "mostly_skipped (look at its place and text): fewer than half of those who saw the problem tried "
            "it. "
            "video_rarely_finished (look at its length and its last part): a tenth of its viewers or fewer "
            "reach the end. "
            "video_part_left (look at what happens there): a drop in which a quarter or more leave. "
            "video_opening_skipped (look whether the beginning is needed): an opening that learners skip. "
            "video_part_watched_again (look whether it is hard to follow): a peak that most watch again. "
            "transcripts_unused (look whether it is needed): a language of transcripts, other than that of "
            "most videos, which no learner's browser asks for. "
            "all_right_at_once (look whether it asks anything): every first answer is right."
        ),
        edge_cases=(
            "Each needs 10 learners: strong ones for the first, of an edit those before and those since.",
            "That everybody is right needs 20 learners, and an answer after an edit 5.",
            "A wrong answer of a randomised problem is judged within its variant.",
            "A problem that nobody tried is one of the outline; course_flow tells who reached its unit.",
            "Not every learner is shown a problem in a library or a split test: it is no never_tried.",
            "confidence is high if the finding stands on 100 learners or more, medium from 30, else low.",
            "rank goes by kind, in the order above, then by learners.",
            "Drops, peaks and skipped openings of videos are those of the table video_place.",
            "Kinds are open: later releases add some, also about other blocks.",
        ),
        window="The whole history up to the last day.",
        source=(
            "The tables item_quality, item_answer, video, video_place, course_flow, "
            "course_transcript_language and course_enrollment_language_current; the outline of the course."
        ),
        spec="02 §12",
    ),
    course_id(),
    _count("rank", "1 is to be looked at first."),
    column("kind", Exact(64), "The rule that found it.", nullable=False),
    column(
        "subject",
        Exact(255),
        "Usage id of the block that it is about; of a video the id that players write; a language.",
        nullable=False,
    ),
    column("part_id", Exact(255), "Input of the problem; empty: all of the block.", nullable=False),
    _variant(),
    column("answer", Exact(255), "The answer that it is about, if it is about one."),
    _count("learners", "Learners that it stands on."),
    column("confidence", Exact(16), "high, medium or low, by these learners.", nullable=False),
    column("numbers", long_text, "The evidence: whole numbers by name, as JSON.", nullable=False),
    key=("course_id", "rank"),
    indexes=(("course_id",), ("subject",)),
    may_shrink=True,
)
