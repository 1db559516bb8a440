"""Spec 05 §5.8: codes in every form, and names that do not change."""

from __future__ import annotations

import pytest

from pharos.data_api.countries import UNKNOWN, country


@pytest.mark.parametrize("code", ["de", "DEU", "276", "De", " de "])
def test_a_country_is_known_by_each_of_its_codes(code: str) -> None:
    assert country(code) == {"alpha2": "DE", "alpha3": "DEU", "name": "Germany"}


@pytest.mark.parametrize(
    "code", [None, "", "UNKNOWN", "A1", "A2", "O1", "AP", "EU", "XK", "AN", "UK", "Germany", "999"]
)
def test_everything_else_is_unknown(code: str | None) -> None:
    assert country(code) == UNKNOWN


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("TW", "Taiwan"),
        ("KR", "South Korea"),
        ("KP", "North Korea"),
        ("BO", "Bolivia"),
        ("VN", "Vietnam"),
        ("RU", "Russia"),
        ("GB", "United Kingdom"),
        ("CZ", "Czechia"),
        ("TR", "Türkiye"),
        ("SZ", "Eswatini"),
        ("CD", "Congo (the Democratic Republic of the)"),
        ("PS", "Palestine, State of"),
        ("VA", "Holy See"),
        ("FM", "Micronesia (Federated States of)"),
        ("4", "Afghanistan"),
    ],
)
def test_names(code: str, name: str) -> None:
    assert country(code)["name"] == name
