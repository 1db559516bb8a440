"""Tables about learners' progress in the demo's LMS database: points, completion, cohorts, forum.

spec 07 §3.6, 3.7, 3.11, 3.12. Rows agree with the events, except for completion of text pages, which causes
no event. Columns are those of the newest release that Pharos reads or that must not be null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import dumps

from pharos.demo.activities import Post, Record
from pharos.demo.campus import Campus
from pharos.demo.courses import Block, Course
from pharos.demo.lms_rows import Row, at, numbered
from pharos.demo.payloads import COURSE_VERSION, EDITED, visible_blocks_hash

SCHEMA = """
CREATE TABLE course_groups_courseusergroup (id integer PRIMARY KEY, name varchar(255) NOT NULL, course_id
    varchar(255) NOT NULL, group_type varchar(20) NOT NULL);
CREATE TABLE course_groups_cohortmembership (id integer PRIMARY KEY, course_id varchar(255) NOT NULL,
    course_user_group_id integer NOT NULL REFERENCES course_groups_courseusergroup (id), user_id integer
    NOT NULL REFERENCES auth_user (id), UNIQUE (user_id, course_id));
CREATE TABLE course_groups_coursecohortssettings (id integer PRIMARY KEY, is_cohorted bool NOT NULL,
    course_id varchar(255) NOT NULL UNIQUE, always_cohort_inline_discussions bool NOT NULL);
CREATE TABLE grades_persistentsubsectiongrade (created datetime(6) NOT NULL, modified datetime(6) NOT
    NULL, id integer PRIMARY KEY, user_id integer NOT NULL, course_id varchar(255) NOT NULL, usage_key
    varchar(255) NOT NULL, subtree_edited_timestamp datetime(6), course_version varchar(255) NOT NULL,
    earned_all double NOT NULL, possible_all double NOT NULL, earned_graded double NOT NULL,
    possible_graded double NOT NULL, first_attempted datetime(6), visible_blocks_hash varchar(100) NOT
    NULL, UNIQUE (course_id, user_id, usage_key));
CREATE TABLE grades_visibleblocks (id integer PRIMARY KEY, blocks_json longtext NOT NULL, hashed
    varchar(100) NOT NULL UNIQUE, course_id varchar(255) NOT NULL);
CREATE TABLE completion_blockcompletion (created datetime(6) NOT NULL, modified datetime(6) NOT NULL, id
    integer PRIMARY KEY, course_key varchar(255) NOT NULL, block_key varchar(255) NOT NULL, block_type
    varchar(64) NOT NULL, completion double NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id),
    UNIQUE (course_key, block_key, user_id));
CREATE TABLE forum_commentthread (id integer PRIMARY KEY, title varchar(1024) NOT NULL, thread_type
    varchar(50) NOT NULL, context varchar(50) NOT NULL, commentable_id varchar(255) NOT NULL,
    author_username varchar(255), course_id varchar(255) NOT NULL, body longtext NOT NULL, endorsed bool
    NOT NULL, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL, author_id integer NOT NULL
    REFERENCES auth_user (id));
CREATE TABLE forum_comment (id integer PRIMARY KEY, depth integer NOT NULL, author_username varchar(255),
    course_id varchar(255) NOT NULL, body longtext NOT NULL, endorsed bool NOT NULL, created_at
    datetime(6) NOT NULL, updated_at datetime(6) NOT NULL, author_id integer NOT NULL REFERENCES auth_user
    (id), comment_thread_id integer NOT NULL REFERENCES forum_commentthread (id), parent_id integer);
"""


def tables(campus: Campus, records: Sequence[Record]) -> Iterator[tuple[str, Iterator[Row]]]:
    """The rows of each table."""
    yield "course_groups_courseusergroup", _cohorts(campus)
    yield "course_groups_cohortmembership", numbered(_cohort_members(campus, records))
    yield (
        "course_groups_coursecohortssettings",
        numbered((bool(course.cohorts), course.id, False) for course in campus.courses),
    )
    yield "grades_persistentsubsectiongrade", _subsection_grades(campus, records)
    yield "grades_visibleblocks", numbered(_visible_blocks(campus))
    yield "completion_blockcompletion", _completion(campus, records)
    posts = sorted((post for record in records for post in record.posts), key=lambda post: post.us)
    numbers = {post.id: number for number, post in enumerate(posts, start=1)}
    yield (
        "forum_commentthread",
        ((numbers[post.id], *_thread(campus, post)) for post in posts if post.thread is None),
    )
    yield (
        "forum_comment",
        ((numbers[post.id], *_comment(campus, post, numbers)) for post in posts if post.thread is not None),
    )


def _cohorts(campus: Campus) -> Iterator[Row]:
    for place, course in enumerate(campus.courses):
        for number, name in enumerate(course.cohorts, start=1):
            yield 10 * place + number, name, course.id, "cohort"


def _cohort_members(campus: Campus, records: Sequence[Record]) -> Iterator[Row]:
    ids = {(row[2], row[1]): row[0] for row in _cohorts(campus)}
    for record in records:
        cohort = campus.cohort(record.text.course, record.learner.user_id)
        if cohort is not None and record.created_us >= 0:
            yield record.course_id, ids[record.course_id, cohort], record.learner.user_id


def _subsection_grades(campus: Campus, records: Sequence[Record]) -> Iterator[Row]:
    """A row for each subsection in which a learner has answered something."""
    number = 0
    for record in records:
        points = record.earned()
        for _, sequential in record.text.course.sequentials:
            problems = [text for text in record.text.problems if text.sequential is sequential]
            tried = [record.answered[text.index] for text in problems if text.index in record.answered]
            if not tried:
                continue
            number += 1
            first = at(campus, min(state.first_us for state in tried))
            last = at(campus, max(state.last_us for state in tried))
            earned = float(sum(points[text.index] for text in problems))
            possible = float(sum(text.problem.points for text in problems))
            graded = (earned, possible) if sequential.graded else (0.0, 0.0)
            who = (record.learner.user_id, record.course_id, sequential.id)
            edited = (EDITED.removesuffix("+00:00"), COURSE_VERSION)
            yield (first, last, number, *who, *edited, earned, possible, *graded, first,
                   visible_blocks_hash(sequential))  # fmt: skip


def _visible_blocks(campus: Campus) -> Iterator[Row]:
    for course in campus.courses:
        for _, sequential in course.sequentials:
            yield _blocks_text(course, sequential), visible_blocks_hash(sequential), course.id


def _blocks_text(course: Course, sequential: Block) -> str:
    blocks = [
        {
            "graded": block.graded,
            "locator": block.id,
            "raw_possible": float(block.problem.points),
            "weight": None,
        }
        for block in sequential.walk()
        if block.problem is not None
    ]
    return dumps({"blocks": blocks, "course_key": course.id, "version": 1})


def _completion(campus: Campus, records: Sequence[Record]) -> Iterator[Row]:
    number = 0
    for record in records:
        for block_id, us in record.completed.items():
            number += 1
            moment = at(campus, us)
            block_type = block_id.partition("+type@")[2].partition("+")[0]
            learner = record.learner.user_id
            yield moment, moment, number, record.course_id, block_id, block_type, 1.0, learner


def _thread(campus: Campus, post: Post) -> Row:
    moment, author = at(campus, post.us), post.author
    head = ("How do you do this?", "question", "course", post.topic)
    body = "<p>I read the unit twice and still wonder.</p>"
    return (*head, author.username, post.course_id, body, False, moment, moment, author.user_id)


def _comment(campus: Campus, post: Post, numbers: dict[str, int]) -> Row:
    moment, author = at(campus, post.us), post.author
    body = "<p>Have a look at the second video.</p>"
    place = numbers[post.thread or ""], numbers[post.parent] if post.parent else None
    head = (1 if post.parent else 0, author.username, post.course_id, body)
    return (*head, False, moment, moment, author.user_id, *place)
