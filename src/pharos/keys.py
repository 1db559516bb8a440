"""Ids of courses, blocks and organisations: their grammar, as Python functions and as Ibis expressions.

The grammar is spec 01 §1.6. Differences from the original, which reads some URLs wrongly (spec 01 §10.1.4):
URLs are percent-decoded, addresses of the learning micro-frontend are supported, `#` ends an id.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pharos.remembering import remembering

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue


_WORD = r"[\w\-~.:]+"
_LEGACY = r"[\w.\-%]"
_VERSION = r"version@[0-9a-f]{24}"
_QUALIFIERS = rf"(?:\+branch@{_WORD})?(?:\+{_VERSION})?(?:\+type@{_WORD})?(?:\+block@{_WORD})?"

COURSE_V1 = rf"(?:course-v1|slashes):{_WORD}\+{_WORD}\+{_WORD}{_QUALIFIERS}"
CCX_V1 = rf"ccx-v1:{_WORD}\+{_WORD}\+{_WORD}(?:\+branch@{_WORD})?(?:\+{_VERSION})?\+ccx@[0-9]+"
LIBRARY_V1 = rf"library-v1:{_WORD}\+{_WORD}(?:\+{_WORD})?{_QUALIFIERS}"
VERSION_ONLY = rf"course-v1:{_VERSION}"
LEGACY = rf"{_LEGACY}+/{_LEGACY}+/{_LEGACY}*"
COURSE_ID = rf"(?:{COURSE_V1}|{CCX_V1}|{LIBRARY_V1}|{VERSION_ONLY}|{LEGACY})"

LONGEST_COURSE_ID = 255  # characters, in the LMS as in the Result Store
LONGEST_MODE = 100  # the same of an enrollment mode
REMEMBERED, LONGEST_REMEMBERED = 65536, 1000  # texts from outside, and characters of one


_COURSE_ID = re.compile(COURSE_ID)
_MODERN = re.compile(
    rf"(?P<namespace>course-v1|slashes|ccx-v1):(?P<org>{_WORD})\+(?P<course>{_WORD})\+(?P<run>{_WORD})(?P<rest>\+.*)?"
)
_LIBRARY = re.compile(rf"library-v1:(?P<org>{_WORD})\+(?P<library>{_WORD})(?:\+.*)?")
_ORGANISATION = re.compile(_WORD)
_BLOCK = re.compile(
    rf"(?P<namespace>block-v1|ccx-block-v1|lib-block-v1):(?P<course>{_WORD}\+{_WORD}(?:\+{_WORD})?(?:\+ccx@[0-9]+)?)"
    rf"(?:\+branch@{_WORD})?(?:\+{_VERSION})?\+type@(?P<type>{_WORD})\+block@(?P<block>{_WORD})"
)
_COURSE_NAMESPACE = {"block-v1": "course-v1", "ccx-block-v1": "ccx-v1", "lib-block-v1": "library-v1"}

# Three chunks separated by single `/` or `+`; the third may hold more `+` (spec 01 §1.5 R-URL).
_CHUNKS = r"(?P<id>[^/+]+[/+][^/+]+[/+][^/?#]+)"
_BLOCK_URL = re.compile(rf"/xblock/{_CHUNKS}")
# Not `/courses/v1/…`, an API version; `/course/<id>` is how the learning micro-frontend writes it, and
# because anything may be called /course/, only a modern id is believed there.
_COURSE_URL = re.compile(rf"/courses/(?!v[0-9]+/[^/]){_CHUNKS}")
_LEARNING_URL = re.compile(r"/course/(?P<id>(?:course-v1|ccx-v1):[^/?#]+)")
# What the learning micro-frontend asks for: outlines, progress, sequences. Other addresses under /api/ name
# courses, too, but are asked for by apps and services without a learner doing anything (spec 07 §4.3).
_LEARNING_API = re.compile(
    r"/api/(?:course_home|courseware|learning_sequences)/(?:[^/?#]+/)*?"
    r"(?P<id>(?:course-v1|ccx-v1|block-v1|ccx-block-v1):[^/?#]+)"
)


@dataclass(frozen=True)
class BlockKey:
    """The parts of a block's usage id."""

    course_id: str
    type: str
    block: str


def is_course_id(text: str | None) -> bool:
    """True if the whole text is the id of a course run (or library). `spec 01 §1.6`."""
    return text is not None and len(text) <= LONGEST_COURSE_ID and _has_form_of_course_id(text)


@lru_cache(REMEMBERED)
def _has_form_of_course_id(text: str) -> bool:
    return _COURSE_ID.fullmatch(text) is not None


def organisation(course_id: str | None) -> str | None:
    """The organisation of a course id; None if the id is invalid or names none. `spec 01 §1.6 R-ORG`."""
    return _organisation(course_id) if course_id is not None and is_course_id(course_id) else None


@lru_cache(REMEMBERED)
def _organisation(course_id: str) -> str | None:
    for pattern in (_MODERN, _LIBRARY):
        if match := pattern.fullmatch(course_id):
            return match["org"]
    return course_id.split("/", maxsplit=1)[0] if "/" in course_id else None


def is_organisation(text: str | None) -> bool:
    """True if the whole text may be the id of an organisation."""
    return text is not None and _ORGANISATION.fullmatch(text) is not None


def file_name(course_id: str, replacement: str = "_") -> str:
    """The id as part of a file name: parts joined by the replacement. `spec 01 §1.6 R-SAFE-ID`."""
    if (match := _MODERN.fullmatch(course_id)) and is_course_id(course_id):
        ccx = re.search(r"\+ccx@[0-9]+$", course_id) if match["namespace"] == "ccx-v1" else None
        text = "+".join((match["org"], match["course"], match["run"])) + (ccx[0] if ccx else "")
    elif (match := _LIBRARY.fullmatch(course_id)) and is_course_id(course_id):
        text = f"{match['org']}+{match['library']}"
    else:
        text = course_id
    return re.sub(r"[^A-Za-z0-9_.\-]", replacement, text)


def block(usage_id: str) -> BlockKey | None:
    """The parts of a block's usage id; None if the text is not a usage id."""
    match = _BLOCK.fullmatch(usage_id)
    if match is None:
        return None
    course_id = f"{_COURSE_NAMESPACE[match['namespace']]}:{match['course']}"
    return BlockKey(course_id, match["type"], match["block"]) if is_course_id(course_id) else None


@remembering(REMEMBERED, longest=LONGEST_REMEMBERED)
def course_id_of_url(url: str | None) -> str | None:
    """The course run of a URL or request path; None if it has none. `spec 01 §1.5 R-URL`.

    Better than the original: percent-encoding is decoded first, every form is tried, `/course/<id>` counts,
    and so does the course id or block in addresses of the learning micro-frontend's API.
    """
    if not url:
        return None
    text = unquote(url) if "%" in url else url
    if (match := _BLOCK_URL.search(text)) and (key := block(match["id"])):
        return key.course_id
    for pattern in (_COURSE_URL, _LEARNING_URL):
        for match in pattern.finditer(text):
            if is_course_id(match["id"]):
                return _canonical(match["id"])
    match = _LEARNING_API.search(text)
    return None if match is None else course_id_of_key(match["id"])


def course_id_of_key(text: str) -> str | None:
    """The course run of a course id or of a block's usage id; None if the text is neither."""
    key = block(text)
    return key.course_id if key else _canonical(text) if is_course_id(text) else None


def is_valid_course_id(text: StringValue) -> BooleanValue:
    """`is_course_id` as an expression; null for null."""
    # Engines have different versions of Unicode: Python's letters are passed to all of them.
    is_ascii = ~text.re_search(r"[^\x00-\x7f]")
    ascii_id = is_ascii.ifelse(text, text.re_replace(_letters_beyond_ascii(), "w"))
    grammar = COURSE_ID.replace(r"\w", "A-Za-z0-9_")
    return (text.length() <= LONGEST_COURSE_ID) & ascii_id.re_search(rf"\A{grammar}\z")


@cache
def _letters_beyond_ascii() -> str:
    """Python's letters and digits beyond ASCII, as a character class for RE2 and Java."""
    characters = "".join(map(chr, range(sys.maxunicode + 1)))
    runs = re.compile(r"\w+").finditer(characters, 0x80)
    return "[" + "".join(rf"\x{{{run.start():x}}}-\x{{{run.end() - 1:x}}}" for run in runs) + "]"


def _canonical(course_id: str) -> str:
    """The id with its canonical namespace (`slashes` is an alias of `course-v1`)."""
    return re.sub(r"^slashes:", "course-v1:", course_id)
