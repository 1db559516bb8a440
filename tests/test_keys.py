"""The grammar of ids: the tables of spec 01 §1.5 and §1.6, in Python and on both engines."""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos import keys
from pharos.engine import Engine
from pharos.keys import BlockKey

_ALL = "".join(map(chr, range(sys.maxunicode + 1)))
VERSION = "version@519665f6223ebd6980884f2b"

# (text, organisation or None): §1.6, §11 items 22 and 23
VALID = [
    ("course-v1:FooXé+1.23x+2013_Spring", "FooXé"),
    ("course-v1:a+b+c", "a"),
    ("course-v1:a-b~c.d:e+f+g", "a-b~c.d:e"),
    ("course-v1:a+b+c+branch@draft", "a"),
    (f"course-v1:a+b+c+{VERSION}", "a"),
    (f"course-v1:a+b+c+branch@draft+{VERSION}", "a"),
    ("course-v1:a+b+c+type@problem+block@x", "a"),
    (f"course-v1:{VERSION}", None),
    ("slashes:a+b+c", "a"),
    ("library-v1:UniX+Lib", "UniX"),
    ("library-v1:UniX+Lib+ignored", "UniX"),
    ("library-v1:UniX+Lib+branch@library", "UniX"),
    ("ccx-v1:org+c+r+ccx@13", "org"),
    ("ccx-v1:org+c+r+branch@draft+ccx@13", "org"),
    ("FooX/1.23x/2013_Spring", "FooX"),
    ("a/b/c", "a"),
    ("a/b/", "a"),
    ("Käse/%41-b/é", "Käse"),
]
INVALID = [
    "", " ", "course-v1:", "course-v1:Uni X+C+R", "course-v1:a+b", "course-v1:a+b+c+d", "course-v1:a++c",
    "course-v1:a+b+c\n", " course-v1:a+b+c", "course-v1:a+b+c ", "\ncourse-v1:a+b+c", "course-v1:a/b/c",
    "course-v1:a+b+c%20", "course-v1:a+b+c+version@123", f"course-v1:{VERSION.upper()}", "COURSE-V1:a+b+c",
    "course-v2:a+b+c", "library-v1:a", "ccx-v1:org+c+r", "ccx-v1:org+c+r+ccx@", "ccx-v1:org+c+r+ccx@x",
    "org/cours\ufffd_id/run", "org:course_id:run", ";;;;bad/id/val", "a/b", "a/b/c/d", "/b/c", "a//c",
    "a/b c/d", "a/b/c\n", "a~b/c/d", "a:b/c/d", "block-v1:a+b+c+type@t+block@b", "None", "a+b+c",
]  # fmt: skip


@pytest.mark.parametrize(("text", "organisation"), VALID)
def test_valid_course_ids_and_their_organisations(text: str, organisation: str | None) -> None:
    assert keys.is_course_id(text)
    assert keys.organisation(text) == organisation


@pytest.mark.parametrize("text", [*INVALID, None])
def test_invalid_course_ids_have_no_organisation(text: str | None) -> None:
    assert not keys.is_course_id(text)
    assert keys.organisation(text) is None


def test_the_expression_says_the_same_on_each_engine(engine: Engine) -> None:
    texts = [text for text, _ in VALID] + INVALID + [None]
    table = engine.table(pa.table({"number": range(len(texts)), "text": pa.array(texts, pa.string())}))
    found = engine.fetch(table.mutate(valid=keys.is_valid_course_id(table.text)))
    valid = {row["number"]: row["valid"] for row in found.to_pylist()}
    assert [valid[number] for number in range(len(texts))] == [
        None if text is None else keys.is_course_id(text) for text in texts
    ]


def test_any_text_is_judged_alike_on_each_engine(engine: Engine) -> None:
    """Letters, digits, marks and signs of all scripts, also of those that an engine's tables lack."""
    edges = {code for run in re.finditer(r"\w+", _ALL) for code in (run.start() - 1, *run.span())}
    characters = [chr(code) for code in {*range(1, 0x2FFF), *edges} if not 0xD800 <= code < 0xE000]
    texts = [text for one in characters for text in (f"course-v1:a{one}+b+c", f"{one}/b/c", f"a/b/c{one}")]
    table = engine.table(pa.table({"text": texts}))
    found = engine.fetch(table.mutate(valid=keys.is_valid_course_id(table.text)))
    differing = [row["text"] for row in found.to_pylist() if row["valid"] != keys.is_course_id(row["text"])]
    assert not differing


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("FooXé", True), ("a.b-c~d:e_f", True), ("a\ufffd", False), ("a b", False), ("a\n", False),
        ("", False), (None, False),
    ],
)  # fmt: skip
def test_organisations(text: str | None, is_valid: bool) -> None:  # §11 item 24
    assert keys.is_organisation(text) == is_valid


@pytest.mark.parametrize(
    ("course_id", "replacement", "name"),
    [  # §1.6 R-SAFE-ID, §11 item 25
        ("course-v1:org+c:id+run", "_", "org_c_id_run"),
        ("course-v1:org+c:id+run", "-", "org-c-id-run"),
        ("org/c/run", "_", "org_c_run"),
        ("org/c/run", "-", "org-c-run"),
        ("org:c:run", "_", "org_c_run"),
        ("org/coursé/run", "_", "org_cours__run"),
        ("org/coursé/run", "-", "org-cours--run"),
        ("ccx-v1:org+c+r+ccx@13", "_", "org_c_r_ccx_13"),
        ("ccx-v1:org+c+r+ccx@13", "-", "org-c-r-ccx-13"),
        ("library-v1:UniX+Lib", "_", "UniX_Lib"),
        ("course-v1:a+b+c+branch@draft", "_", "a_b_c"),
        ("course-v1:a+b", "_", "course-v1_a_b"),
        ("../../etc/passwd", "_", ".._.._etc_passwd"),
    ],
)
def test_file_names(course_id: str, replacement: str, name: str) -> None:
    assert keys.file_name(course_id, replacement) == name


@given(st.text())
def test_file_names_are_safe(text: str) -> None:
    assert not set(keys.file_name(text)) & set("/\\\0\n :*?\"<>|'$")


@pytest.mark.parametrize(
    ("url", "course_id"),
    [  # §1.5 R-URL, in the order of its table; the last column of the specification unless it says Better
        (None, None),
        ("", None),
        ("/courses/course-v1:a+b+c/about", "course-v1:a+b+c"),
        ("/courses/course-v1:a+b+c", "course-v1:a+b+c"),
        ("/courses/course-v1:a+b+c?x=1", "course-v1:a+b+c"),
        ("/courses/a/b/c/info", "a/b/c"),
        ("https://h/xblock/block-v1:a+b+c+type@vertical+block@1?x=0", "course-v1:a+b+c"),
        ("https://h/xblock/block-v1:a+b+c+type@vertical+block@1#f", "course-v1:a+b+c"),
        (
            "/courses/course-v1:a+b+c/xblock/block-v1:a+b+c+type@problem+block@x/handler/xmodule_handler/problem_check",
            "course-v1:a+b+c",
        ),
        ("/api/courses/v1/courses/course-v1:a+b+c", "course-v1:a+b+c"),
        ("/api/courses/v1/blocks/?course_id=course-v1:a+b+c", None),
        ("https://h/xblock/block-v1:a+b+c?x=0", None),
        # Better: a block that does not parse does not hide the course
        ("/courses/a/b/c/xblock/i4x:;_;_a;_b;_problem;_x/handler/h/problem_get", "a/b/c"),
        # Better: # ends an id
        ("/courses/course-v1:a+b+c#frag", "course-v1:a+b+c"),
        # Better: learning micro-frontend
        ("https://learning.example.org/course/course-v1:a+b+c/home", "course-v1:a+b+c"),
        (
            "https://h/learning/course/course-v1:a+b+c/block-v1:a+b+c+type@sequential+block@s",
            "course-v1:a+b+c",
        ),
        # Better: its API
        ("/api/course_home/outline/course-v1:a+b+c", "course-v1:a+b+c"),
        ("/api/courseware/sequence/block-v1:a+b+c+type@sequential+block@s", "course-v1:a+b+c"),
        ("/api/learning_sequences/v1/course_outline/ccx-v1:a+b+c+ccx@4?x", "ccx-v1:a+b+c+ccx@4"),
        ("/api/learning_sequences/v1/course_outline/a/b/c", None),
        ("/api/completion/v1/course-v1:a+b+c/", None),
        # Better, percent-encoding is undone
        ("/courses/course-v1%3Aa%2Bb%2Bc/courseware/abc/", "course-v1:a+b+c"),
        ("https://h/xblock/block-v1%3Aa%2Bb%2Bc%2Btype%40vertical%2Bblock%401", "course-v1:a+b+c"),
        ("/courses/course-v1:Foo%C3%A9+b+c/", "course-v1:Fooé+b+c"),
        # and what else stands in addresses
        ("/courses/slashes:a+b+c/about", "course-v1:a+b+c"),
        ("/courses/ccx-v1:a+b+c+ccx@4/ccx_coach", "ccx-v1:a+b+c+ccx@4"),
        ("https://h/xblock/ccx-block-v1:a+b+c+ccx@4+type@html+block@h", "ccx-v1:a+b+c+ccx@4"),
        ("https://h/xblock/lib-block-v1:a+b+type@html+block@h", "library-v1:a+b"),
        ("/courses/course-v1:a+b+c+branch@draft/info", "course-v1:a+b+c+branch@draft"),
        ("/courses/course-v1:a+b/info", None),
        ("/courses/course-v1:a b+c+d/info", None),
        ("/courses/course-v1:a+b+c d/info", None),
        ("/courses/", None),
        ("/courses", None),
        ("/courses/v1/a/b/c", None),
        ("/courses/v10/courses/x/y/z", "x/y/z"),
        ("/dashboard", None),
        ("play_video", None),
        ("https://h/course/a/b/c", None),
        ("https://studio/course/course-v1:a+b+c", "course-v1:a+b+c"),
        ("/courses/%ff/%00/x", None),
        ("/courses/not+valid+%20/courses/course-v1:a+b+c/", "course-v1:a+b+c"),
    ],
)
def test_courses_of_addresses(url: str | None, course_id: str | None) -> None:
    assert keys.course_id_of_url(url) == course_id


ids = st.sampled_from([text for text, organisation in VALID if organisation and "+type@" not in text]).filter(
    lambda text: not text.startswith("library") and not text.endswith("/") and "%" not in text
)
tails = st.sampled_from(["", "/", "/info", "?a=b", "#x", "/courseware/a/b/"])


@given(ids, tails)
def test_a_course_is_found_in_its_own_address(course_id: str, tail: str) -> None:
    expected = course_id.replace("slashes:", "course-v1:")
    assert keys.course_id_of_url(f"https://lms.example.org/courses/{course_id}{tail}") == expected


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["/courses/", "/xblock/", "a", "+", "/", "%2B", "?", "v1", "course-v1:"])).map(
        "".join
    )
)
def test_what_is_found_in_an_address_is_a_course_id(url: str) -> None:
    found = keys.course_id_of_url(url)
    assert found is None or keys.is_course_id(found)


@given(
    st.text(max_size=40)
    | st.from_regex(r"\Acourse-v1:[\w+:~.-]{0,20}\Z")
    | st.from_regex(r"\A[\w./%-]{0,12}\Z")
)
def test_only_a_valid_id_has_an_organisation_and_it_is_valid(text: str) -> None:
    organisation = keys.organisation(text)
    if organisation is not None:
        assert keys.is_course_id(text)
        assert organisation in text


@pytest.mark.parametrize(
    ("usage_id", "key"),
    [
        ("block-v1:a+b+c+type@problem+block@x", BlockKey("course-v1:a+b+c", "problem", "x")),
        (f"block-v1:a+b+c+branch@d+{VERSION}+type@html+block@x", BlockKey("course-v1:a+b+c", "html", "x")),
        ("ccx-block-v1:a+b+c+ccx@4+type@problem+block@x", BlockKey("ccx-v1:a+b+c+ccx@4", "problem", "x")),
        ("lib-block-v1:a+b+type@problem+block@x", BlockKey("library-v1:a+b", "problem", "x")),
        ("block-v1:a+b+c+type@problem", None),
        ("block-v1:a+b+c+block@x", None),
        ("block-v1:a+b+c+type@problem+block@x%20", None),
        ("block-v1:a+b+type@problem+block@x", None),
        ("block-v1:a+b+c+type@problem+block@x\n", None),
        ("i4x://a/b/problem/x", None),
        ("", None),
    ],
)  # fmt: skip
def test_blocks(usage_id: str, key: BlockKey | None) -> None:
    assert keys.block(usage_id) == key


@pytest.mark.parametrize("judge", [keys.is_course_id, keys.organisation, keys.course_id_of_url])
def test_long_texts_from_outside_are_not_remembered(judge: Callable[[str], object]) -> None:
    """Whoever sends them fills no memory, though each is another one."""
    tracemalloc.start()
    for number in range(1000):
        judge(f"/courses/course-v1:A+B+{number:010000}")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2_000_000
