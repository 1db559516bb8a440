"""Problems: the answers given, the grades, the tags, the subsections opened."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, DateTime, Integer

from pharos.result_store.column_types import Exact, long_text, number
from pharos.result_store.tables.base import Definition, column, course_id, day, module_id, result

_LMS_STATE = "The LMS table courseware_studentmodule."

answer_distribution = result(
    "answer_distribution",
    Definition(
        title="Answer distribution",
        version=1,
        meaning="How many learners gave each distinct answer to each part of a problem, first and last.",
        formula=(
            "Of each learner's first and of their last submission of a problem, each part's answer counts "
            "once. "
            "Answers are the same if their value id (else their text) and variant are."
        ),
        edge_cases=(
            "A learner who submits once counts both as first and as last.",
            "Submissions between the first and the last do not count.",
            "Variant null, empty or 0: the problem was not recorded as randomised.",
            "Texts, questions and correctness are those of the most recent submission with that answer.",
            "Name and kind of the problem are those of the most recent submission of the part.",
            "Reported are the kinds of responses that the setting problems.response_types names.",
            "Checked boxes are compared in the order in which they were sent.",
            "Right in part counts as right.",
            "A last submission without display data has no last answer.",
        ),
        source="Events problem_check from the server in the tracking logs.",
        spec="02 §4",
        differences=(
            "Learners are told apart by their number in the LMS: who is renamed or retired stays one.",
            "User names serve for events without a number; events without a name are left out.",
            "Times with an offset are converted to UTC.",
            "Payloads that ended the original's run are read, or left out and counted.",
            "Answers like `None` and `inf` stay texts; numbers, true and false are written as in JSON.",
            "value_id is cut to 255 characters.",
            "Answers that look alike in every column are one row.",
        ),
    ),
    course_id(),
    module_id("Usage id of the problem, of the most recent response."),
    column("part_id", Exact(255), "Input of the problem, e.g. …_2_1.", nullable=False),
    column("correct", Boolean(), "Whether the answer is right.", nullable=False),
    column("first_response_count", Integer(), "Learners whose first answer it was.", nullable=False),
    column(
        "last_response_count",
        Integer(),
        "Learners whose last answer it was.",
        nullable=False,
        older_name="count",
    ),
    column("value_id", Exact(255), "Id of the choice; null for typed answers."),
    column("answer_value_text", long_text, "The answer as text."),
    column("answer_value_numeric", number, "The answer as a number, if it is one."),
    column("variant", Integer(), "Seed of a randomised problem."),
    column("problem_display_name", long_text, "Name of the problem."),
    column("question_text", long_text, "The question."),
    key=(
        "course_id",
        "part_id",
        "value_id",
        "answer_value_text",
        "variant",
        "correct",
        "question_text",
    ),
    key_is_indexed=False,
    indexes=(("course_id",), ("module_id",), ("part_id",), ("course_id", "module_id")),
)

problem_response = result(
    "problem_response",
    Definition(
        title="Problem responses",
        version=1,
        meaning="What each learner answered last to each part of each problem.",
        formula=(
            "The parts of the learner's last submission of the problem; total_attempts = all submissions of "
            "the problem by the learner."
        ),
        edge_cases=(
            "Responses of every kind are there.",
            "Right in part and unknown correctness are null.",
            "The score is that of the whole problem, on each of its parts.",
            "White space is one blank, and hints of choices are left out.",
            "A last submission without display data has no row.",
        ),
        window="From the day of the setting reports.since to the last day.",
        source="Events problem_check from the server in the tracking logs; the outline of the LMS.",
        spec="02 §5",
        differences=(
            "Learners are told apart by their number in the LMS; the name is their newest one.",
            "Submissions of the last day count.",
            "Orphans of the outline are deleted blocks like any other.",
            "A hint without content ends where it stands.",
            "Names, questions and answers that are no text are written as in JSON.",
        ),
        persons="user_id",
    ),
    course_id(),
    column("answer_id", Exact(255), "Input of the problem, e.g. …_2_1.", nullable=False),
    column("problem_id", Exact(255), "Usage id of the problem.", nullable=False),
    column("problem", long_text, "Name of the problem in the event.", nullable=False),
    column("user_id", BigInteger(), "Number of the learner in the LMS, if the events tell it."),
    column("username", Exact(255), "Newest user name in the course run's events.", nullable=False),
    column("question", long_text, "The question; empty if the event does not tell it.", nullable=False),
    column("score", number, "Points of the whole problem."),
    column("max_score", number, "Points that were possible."),
    column("correct", Boolean(), "Whether the answer is right; null if in part, or not known."),
    column("answer", long_text, "The answer as a list in JSON.", nullable=False),
    column("total_attempts", Integer(), "Submissions of the problem by the learner.", nullable=False),
    column("first_attempt_date", DateTime(), "The first of them, UTC.", nullable=False),
    column("last_attempt_date", DateTime(), "The last of them, UTC.", nullable=False),
    column("location", long_text, "Names of the blocks above the problem, and its own.", nullable=False),
    column("sort_idx", Integer(), "Place in the order of the course; -1 for a deleted one.", nullable=False),
    key=("course_id", "problem_id", "user_id", "username", "answer_id"),
    indexes=(),
    is_published=False,
)

refused_submissions = result(
    "refused_submissions",
    Definition(
        title="Refused submissions",
        version=1,
        meaning="Submissions of each day that tell no answers, by the reason.",
        formula="Events problem_check of the server by UTC day and reason.",
        edge_cases=("The reason is empty for submissions that do tell answers.",),
        source="Events problem_check from the server in the tracking logs.",
        spec="02 §2",
    ),
    day(),
    column("reason", Exact(255), "Why no answers are told.", nullable=False),
    column("count", Integer(), "Submissions.", nullable=False),
    key=("date", "reason"),
    indexes=(),
    is_published=False,
)

tags_distribution = result(
    "tags_distribution",
    Definition(
        title="Submissions by tag",
        version=1,
        meaning="Submissions of each tagged problem, a row for each of its tags.",
        formula=(
            "total_submissions = events problem_check of the problem, correct_submissions = those that were "
            "right; the tags are those of the most recent event."
        ),
        edge_cases=(
            "The counts are the problem's and are repeated for each tag: never add them up over the tags.",
            "A problem without tags has no row.",
        ),
        source="Events problem_check from the server in the tracking logs.",
        spec="02 §9",
    ),
    course_id(),
    column("org_id", Exact(255), "Organisation of the course.", nullable=False),
    module_id(),
    column("tag_name", Exact(255), "Kind of tag, e.g. difficulty.", nullable=False),
    column("tag_value", Exact(255), "Its value, e.g. Easy.", nullable=False),
    column("total_submissions", Integer(), "Submissions of the problem.", nullable=False),
    column("correct_submissions", Integer(), "Those that were right.", nullable=False),
    key=("course_id", "module_id", "tag_name", "tag_value"),
    key_is_indexed=False,
    indexes=(("course_id",), ("module_id",), ("course_id", "module_id")),
)

grade_distribution = result(
    "grade_distribution",
    Definition(
        title="Grade distribution",
        version=1,
        meaning="How many learners have each grade in each problem.",
        formula="Learners for whom the LMS holds a grade of the module, by grade and largest grade.",
        edge_cases=(
            "A grade of 0 counts.",
            "Rows without a grade do not.",
            "All kinds of graded modules count.",
        ),
        source=_LMS_STATE,
        spec="02 §8.1",
    ),
    module_id(),
    course_id(),
    column("grade", number, "Points reached."),
    column("max_grade", number, "Points possible."),
    column("count", Integer(), "Learners.", nullable=False),
    key=("course_id", "module_id", "grade", "max_grade"),
    indexes=(("module_id",), ("course_id",)),
)

sequential_open_distribution = result(
    "sequential_open_distribution",
    Definition(
        title="Subsections opened",
        version=1,
        meaning="How many learners have opened each subsection.",
        formula="Learners with a row of the LMS for the subsection.",
        edge_cases=("Opening twice counts once.",),
        source=_LMS_STATE,
        spec="02 §8.2",
    ),
    module_id("Usage id of the subsection."),
    course_id(),
    column("count", Integer(), "Learners.", nullable=False),
    key=("course_id", "module_id"),
    indexes=(("module_id",), ("course_id",)),
)
