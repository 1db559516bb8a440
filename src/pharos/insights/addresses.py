"""Writes and reads course ids in the addresses of pages."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class CourseInPath(Convertor[str]):
    """A course id in an address: `course-v1:a+b+c`, `a/b/c` or a CCX (spec 05 §2.1)."""

    regex = r"(?:[^/+:]+/[^/+]+/[^/+]+|(?:course|ccx)-v1:[^/+]+\+[^/+]+\+[^/+][^/]*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


# Starlette keeps one list of these for all applications of a process: the Data API has a "course" of its own.
register_url_convertor("course_page", CourseInPath())
