from __future__ import annotations

from ipaddress import ip_address

from pharos.demo.campus import Campus


def test_addresses_are_of_both_versions_public_and_private(campus: Campus) -> None:
    addresses = [ip_address(text) for learner in campus.people for text in learner.addresses]
    assert {address.version for address in addresses} == {4, 6}
    assert {address.is_private for address in addresses} == {True, False}


def test_profiles_have_gaps_as_real_ones_do(campus: Campus) -> None:
    for values in (
        {learner.country for learner in campus.people},
        {learner.gender for learner in campus.people},
        {learner.education for learner in campus.people},
        {learner.year_of_birth for learner in campus.people},
    ):
        assert None in values
        assert len(values) > 3


def test_usernames_are_ascii_and_short_enough(campus: Campus) -> None:
    assert all(learner.username.isascii() and len(learner.username) <= 30 for learner in campus.people)


def test_personas_have_each_kind_of_access(campus: Campus) -> None:
    access = {(person.superuser, person.global_staff, len(person.courses)) for person in campus.personas}
    assert access == {
        (True, True, 0),
        (False, True, 0),
        (False, False, 1),
        (False, False, 3),
        (False, False, 0),
    }
    known = {course.id for course in campus.courses}
    assert all(set(person.courses) <= known for person in campus.personas)
