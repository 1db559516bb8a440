"""Worked examples of spec 05 §5.5-5.8."""

from __future__ import annotations

import httpx

CID = "course-v1:OrgX+ABC101+2031_T1"
BASE = {"course_id": CID, "date": "2031-03-01"}
CREATED = {"created": "2031-03-02T040506"}


def test_birth_years_with_the_unknown_last_and_not_in_v1(api: httpx.Client) -> None:
    assert api.get(f"/api/v0/courses/{CID}/enrollment/birth_year/").json() == [
        {**BASE, "birth_year": 1990, "count": 3, **CREATED},
        {**BASE, "birth_year": None, "count": 2, **CREATED},
    ]
    gone = api.get(f"/api/v1/courses/{CID}/enrollment/birth_year/")
    assert (gone.status_code, gone.json()) == (404, {"status": 404})


def test_education_keeps_null(api: httpx.Client) -> None:
    assert api.get(f"/api/v0/courses/{CID}/enrollment/education/").json() == [
        {**BASE, "education_level": "bachelors", "count": 4, **CREATED},
        {**BASE, "education_level": None, "count": 7, **CREATED},
    ]


def test_genders_other_than_three_are_unknown(api: httpx.Client) -> None:
    assert api.get(f"/api/v0/courses/{CID}/enrollment/gender/").json() == [
        {**BASE, "female": 4, "male": 5, "other": 1, "unknown": 2, **CREATED}
    ]


def test_codes_that_are_no_country_count_together(api: httpx.Client) -> None:
    unknown = {"alpha2": None, "alpha3": None, "name": "UNKNOWN"}
    germany = {"alpha2": "DE", "alpha3": "DEU", "name": "Germany"}
    states = {"alpha2": "US", "alpha3": "USA", "name": "United States of America"}
    assert api.get(f"/api/v0/courses/{CID}/enrollment/location/").json() == [
        {**BASE, "country": unknown, "count": 4, "created": "2031-03-02T040507"},
        {**BASE, "country": germany, "count": 3, **CREATED},
        {**BASE, "country": states, "count": 5, **CREATED},
    ]
