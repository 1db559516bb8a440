"""Languages of learners' browsers and accounts, and of the transcripts of videos."""

from __future__ import annotations

import httpx

CID = "course-v1:OrgX+ABC101+2031_T1"


def test_most_come_first_and_the_unknown_last(api: httpx.Client) -> None:
    rows = api.get(f"/api/v1/courses/{CID}/enrollment/language/").json()
    assert [(row["language"], row["count"]) for row in rows] == [("es", 7), ("de", 2), (None, 3)]
    rows = api.get(f"/api/v1/courses/{CID}/enrollment/chosen_language/").json()
    assert [(row["language"], row["count"]) for row in rows] == [("pt", 4), (None, 8)]
    rows = api.get(f"/api/v1/courses/{CID}/transcript_languages/").json()
    assert [(row["language"], row["videos"]) for row in rows] == [("en", 4), ("pt-br", 1)]


def test_a_course_without_rows_is_not_found(api: httpx.Client) -> None:
    for path in ("enrollment/language/", "enrollment/chosen_language/", "transcript_languages/", "passing/"):
        assert api.get(f"/api/v1/courses/OrgY/XYZ/2031/{path}").status_code == 404
