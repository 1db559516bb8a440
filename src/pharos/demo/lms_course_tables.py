"""Tables about courses in the demo's LMS database: overviews, outlines, videos, tags.

spec 07 §3.4, 3.5, 3.9, 3.10. Columns are those of the newest release that Pharos reads or that must not be
null.
"""

from __future__ import annotations

from collections.abc import Iterator

from pharos.demo.campus import Campus
from pharos.demo.courses import Block, Course
from pharos.demo.lms_rows import Row, numbered, time_text
from pharos.demo.payloads import COURSE_VERSION, EDITED, PASSING, tags_of

SCHEMA = """
CREATE TABLE course_overviews_courseoverview (created datetime(6) NOT NULL, modified datetime(6) NOT NULL,
    version integer NOT NULL, id varchar(255) PRIMARY KEY, _location varchar(255) NOT NULL, org longtext
    NOT NULL, display_name longtext, display_number_with_default longtext NOT NULL,
    display_org_with_default longtext NOT NULL, start datetime(6), "end" datetime(6), self_paced bool NOT
    NULL, visible_to_staff_only bool NOT NULL, lowest_passing_grade decimal(5, 2), enrollment_start
    datetime(6), enrollment_end datetime(6), invitation_only bool NOT NULL, short_description longtext,
    catalog_visibility longtext, language longtext);
CREATE TABLE learning_sequences_learningcontext (id integer PRIMARY KEY, context_key varchar(255) NOT NULL
    UNIQUE, title varchar(255) NOT NULL, published_at datetime(6) NOT NULL, published_version varchar(255)
    NOT NULL, created datetime(6) NOT NULL, modified datetime(6) NOT NULL);
CREATE TABLE learning_sequences_coursesection (id integer PRIMARY KEY, ordering integer NOT NULL,
    usage_key varchar(255) NOT NULL, title varchar(1000) NOT NULL, hide_from_toc bool NOT NULL,
    visible_to_staff_only bool NOT NULL, course_context_id integer NOT NULL);
CREATE TABLE learning_sequences_learningsequence (id integer PRIMARY KEY, usage_key varchar(255) NOT NULL,
    title varchar(1000) NOT NULL, learning_context_id integer NOT NULL);
CREATE TABLE learning_sequences_coursesectionsequence (id integer PRIMARY KEY, ordering integer NOT NULL,
    inaccessible_after_due bool NOT NULL, hide_from_toc bool NOT NULL, visible_to_staff_only bool NOT
    NULL, section_id integer NOT NULL, sequence_id integer NOT NULL, course_context_id integer NOT NULL,
    UNIQUE (course_context_id, ordering));
CREATE TABLE edxval_video (id integer PRIMARY KEY, created datetime(6) NOT NULL, edx_video_id varchar(100)
    NOT NULL UNIQUE, client_video_id varchar(255) NOT NULL, duration double NOT NULL, status varchar(255)
    NOT NULL);
CREATE TABLE edxval_coursevideo (id integer PRIMARY KEY, course_id varchar(255) NOT NULL, is_hidden bool
    NOT NULL, video_id integer NOT NULL REFERENCES edxval_video (id), UNIQUE (course_id, video_id));
CREATE TABLE edxval_profile (id integer PRIMARY KEY, profile_name varchar(50) NOT NULL UNIQUE);
CREATE TABLE edxval_encodedvideo (id integer PRIMARY KEY, url varchar(200) NOT NULL, file_size integer NOT
    NULL, bitrate integer NOT NULL, profile_id integer NOT NULL REFERENCES edxval_profile (id), video_id
    integer NOT NULL REFERENCES edxval_video (id));
CREATE TABLE edxval_videotranscript (id integer PRIMARY KEY, transcript varchar(255), language_code
    varchar(50) NOT NULL, provider varchar(30) NOT NULL, file_format varchar(20) NOT NULL, video_id
    integer NOT NULL REFERENCES edxval_video (id), UNIQUE (video_id, language_code));
CREATE TABLE oel_tagging_taxonomy (id integer PRIMARY KEY, name varchar(255) NOT NULL, enabled bool NOT
    NULL, export_id varchar(255) NOT NULL UNIQUE);
CREATE TABLE oel_tagging_tag (id integer PRIMARY KEY, value varchar(500) NOT NULL, external_id
    varchar(255), parent_id integer, taxonomy_id integer);
CREATE TABLE oel_tagging_objecttag (id integer PRIMARY KEY, object_id varchar(255) NOT NULL, _export_id
    varchar(255) NOT NULL, _value varchar(500) NOT NULL, tag_id integer, taxonomy_id integer, is_copied
    bool NOT NULL);
"""
_YOUTUBE, _DESKTOP = 1, 2
_PUBLISHED = EDITED.removesuffix("+00:00")


def tables(campus: Campus) -> Iterator[tuple[str, Iterator[Row]]]:
    """The rows of each table."""
    yield "course_overviews_courseoverview", (_overview(course) for course in campus.courses)
    yield "learning_sequences_learningcontext", numbered(_context(course) for course in campus.courses)
    yield "learning_sequences_coursesection", numbered(_sections(campus))
    yield "learning_sequences_learningsequence", numbered(_sequences(campus))
    yield "learning_sequences_coursesectionsequence", numbered(_places(campus))
    yield "edxval_profile", iter([(_YOUTUBE, "youtube"), (_DESKTOP, "desktop_mp4")])
    yield "edxval_video", numbered(_videos(campus))
    yield (
        "edxval_coursevideo",
        numbered(
            (course.id, False, number) for number, (course, _) in enumerate(_video_blocks(campus), start=1)
        ),
    )
    yield "edxval_encodedvideo", numbered(_encodings(campus))
    yield "edxval_videotranscript", numbered(_transcripts(campus))
    yield from _tagging(campus)


def video_id(block: Block) -> str:
    """The id of a block's video in the LMS's video service."""
    key = block.key
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def languages(block: Block) -> tuple[str, ...]:
    """Languages of a video's transcripts: always English, and Spanish for about every third video."""
    return ("en", "es") if int(block.key[0], 16) % 3 == 0 else ("en",)


def _overview(course: Course) -> Row:
    made = time_text(course.opens)
    ends = course.ends and time_text(course.ends)
    names = (course.org, course.name, course.number, course.org)
    rest = (made, None, False, course.description, "both", "en")
    return (made, made, 19, course.id, course.root.id, *names, time_text(course.starts), ends,
            course.self_paced, False, PASSING, *rest)  # fmt: skip


def _context(course: Course) -> Row:
    return course.id, course.name, _PUBLISHED, COURSE_VERSION, _PUBLISHED, _PUBLISHED


def _sections(campus: Campus) -> Iterator[Row]:
    for context, course in enumerate(campus.courses, start=1):
        for ordering, chapter in enumerate(course.root.children):
            yield ordering, chapter.id, chapter.name, False, False, context


def _sequences(campus: Campus) -> Iterator[Row]:
    for context, course in enumerate(campus.courses, start=1):
        for _, sequential in course.sequentials:
            yield sequential.id, sequential.name, context


def _places(campus: Campus) -> Iterator[Row]:
    """Rows of subsections, numbered through the whole course run; ids are those of the tables above."""
    section = sequence = 0
    for context, course in enumerate(campus.courses, start=1):
        ordering = 0
        for chapter in course.root.children:
            section += 1
            for _ in chapter.children:
                sequence += 1
                yield ordering, False, False, False, section, sequence, context
                ordering += 1


def _video_blocks(campus: Campus) -> Iterator[tuple[Course, Block]]:
    for course in campus.courses:
        for block in course.root.walk():
            if block.video is not None:
                yield course, block


def _videos(campus: Campus) -> Iterator[Row]:
    for _, block in _video_blocks(campus):
        seconds = float(block.video.duration_s) if block.video else 0.0
        yield _PUBLISHED, video_id(block), f"{block.name}.mp4", seconds, "file_complete"


def _encodings(campus: Campus) -> Iterator[Row]:
    for number, (_, block) in enumerate(_video_blocks(campus), start=1):
        if block.video is not None:
            yield block.video.youtube, 0, 0, _YOUTUBE, number
            yield f"https://video.campus.example/{video_id(block)}.mp4", 52_428_800, 1200, _DESKTOP, number


def _transcripts(campus: Campus) -> Iterator[Row]:
    for number, (_, block) in enumerate(_video_blocks(campus), start=1):
        for language in languages(block):
            yield f"video-transcripts/{video_id(block)}-{language}.srt", language, "Custom", "srt", number


def _tagging(campus: Campus) -> Iterator[tuple[str, Iterator[Row]]]:
    """The tags that are also in the events of graded problems."""
    of_blocks = [
        (block.id, name, value)
        for course in campus.courses
        for block, tags in tags_of(course)
        for name, values in tags.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    taxonomies = {name: number for number, name in enumerate(sorted({name for _, name, _ in of_blocks}), 1)}
    tags = {tag: number for number, tag in enumerate(sorted({tag[1:] for tag in of_blocks}), 1)}
    yield "oel_tagging_taxonomy", iter([(number, name, True, name) for name, number in taxonomies.items()])
    yield (
        "oel_tagging_tag",
        iter([(number, value, None, None, taxonomies[name]) for (name, value), number in tags.items()]),
    )
    yield (
        "oel_tagging_objecttag",
        numbered(
            (block, name, value, tags[name, value], taxonomies[name], False)
            for block, name, value in of_blocks
        ),
    )
