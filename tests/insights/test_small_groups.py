"""Counts of few learners are hidden on pages and in files, and cannot be computed from what is left."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.insights import odd_courses
from tests.insights.test_numbers import table
from tests.insights.world import COUNTRIES, EDUCATION, fill, world_of

from pharos.insights.files import BOM
from pharos.insights.small_groups import genders_without, hidden, without


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 40)), st.integers(0, 40), st.integers(0, 12))
def test_nothing_small_is_shown_and_no_single_small_group_can_be_computed(
    counts: dict[int, int], not_given: int, least: int
) -> None:
    small = hidden(counts, not_given, least)
    shown = {group: count for group, count in counts.items() if group not in small}
    assert not any(0 < count < least for count in shown.values())
    together = not_given + sum(counts[group] for group in small)
    if small:
        assert together >= least or not any(shown.values())
    else:
        assert together == not_given


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(1900, 2020)), st.integers(0, 30)), max_size=20))
def test_sums_stay(groups: list[tuple[int | None, int]]) -> None:
    rows = [{"birth_year": year, "count": count} for year, count in groups]
    found = without(rows, "birth_year", None, 10)
    assert sum(row["count"] for row in found) == sum(count for _, count in groups)
    assert without(rows, "birth_year", None, 0) == rows


def test_genders_of_a_day() -> None:
    row = {"female": 3, "male": 40, "other": 12, "unknown": 0, "date": "2031-03-01"}
    assert genders_without(row, 10) == {**row, "female": None, "other": None, "unknown": 15}
    assert genders_without(row, 3) == row


def test_a_site_hides_small_groups_on_pages_and_in_files(tmp_path: Path) -> None:
    """Of the countries CN, ZA and AU have 8, 3 and 1; of the levels `none` has 10."""
    with world_of(tmp_path, fill, minimum_cell=11) as world, world.client("sofia") as client:
        course = f"/courses/{world.course_id}/"
        page = client.get(f"{course}enrollment/geography/").text
        assert "Groups of fewer than 11 learners are counted as not given" in page
        page, _, languages = page.partition('id="languages"')
        rows = {row[0]: row[1] for row in table(page)[1:]}
        small = sum(count for count in COUNTRIES.values() if count < 11)
        assert rows["Unknown country"] == str(30 + small)
        assert not {"China", "South Africa", "Australia", "France"} & rows.keys()
        assert sum(map(int, rows.values())) == sum(COUNTRIES.values())
        spoken = {row[0]: row[1] for row in table(languages)[1:]}
        assert "Chinese" not in spoken
        assert spoken["Not known"] == str(50 + 6 + 3)
        text = client.get(f"{course}csv/enrollment/language/").text.removeprefix(BOM)
        assert not {"zh", "pt"} & {row["language"] for row in csv.DictReader(io.StringIO(text))}
        text = client.get(f"{course}csv/enrollment/demographics/education/").text.removeprefix(BOM)
        levels = {row["education_level"]: int(row["count"]) for row in csv.DictReader(io.StringIO(text))}
        assert "none" not in levels
        assert levels[""] == 60 + EDUCATION["none"]
        page = client.get(f"{course}enrollment/demographics/education/").text
        assert {row[0]: row[1:3] for row in table(page)[1:]}["None"] == ["–", "–"]


def test_where_all_groups_are_hidden_the_page_says_so_and_not_that_nobody_told(tmp_path: Path) -> None:
    """GAPWEEKS has 10 learners in groups of 4, 4 and 2, of 6, 3 and 1, of 5, 2 and 3, and of 8 and 2."""
    reports = ("geography", "demographics/age", "demographics/education", "demographics/gender")
    with world_of(tmp_path, odd_courses.fill, odd_courses.prepare, minimum_cell=9) as world:
        for report in reports:
            with world.client("sofia") as client:
                page = client.get(f"/courses/course-v1:Odd+GAPWEEKS+1/enrollment/{report}/").text
            assert "<strong>No group is large enough to be shown.</strong> There are 10 learners." in page
            assert "shows no group of fewer than 9 learners" in page
            assert "Nobody has said" not in page
            assert "Nothing has been counted" not in page


def test_a_hidden_gender_is_not_called_zero(tmp_path: Path) -> None:
    """Of those who said 100 are female, 400 male and 500 other."""
    with world_of(tmp_path, fill, minimum_cell=101) as world, world.client("sofia") as client:
        course = f"/courses/{world.course_id}/"
        page = client.get(f"{course}enrollment/demographics/gender/?language=en").text
        assert "<strong>Male</strong> (44.4%) and <strong>Other</strong> (55.6%)." in page
        assert "0.0%" not in page
        assert table(page)[1][1:] == ["2,000", "–", "400", "500", "1,100"]
        text = client.get(f"{course}csv/enrollment/demographics/gender/").text.removeprefix(BOM)
        assert [row["female"] for row in csv.DictReader(io.StringIO(text))][-1] == ""
