from __future__ import annotations

from datetime import date

from pharos.demo.campus import Campus


def test_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    def people(seed: int) -> object:
        return Campus(seed=seed, learners=50, days=30, until=date(2026, 3, 1)).people

    assert people(3) == people(3)
    assert people(3) != people(4)


def test_usernames_and_addresses_are_unique(campus: Campus) -> None:
    for names in ([person.username for person in campus.people], [person.email for person in campus.people]):
        assert len(set(names)) == len(names) == campus.learners


def test_every_learner_of_a_course_with_cohorts_is_in_one(campus: Campus) -> None:
    with_cohorts = campus.courses[0]
    without = next(course for course in campus.courses if not course.cohorts)
    assert {campus.cohort(with_cohorts, person.user_id) for person in campus.people} == set(
        with_cohorts.cohorts
    )
    assert campus.cohort(without, 101) is None


def test_each_learner_wants_a_course_that_exists(campus: Campus) -> None:
    assert all(person.interests for person in campus.people)
    assert sum(len(campus.members(course)) for course in campus.courses) == sum(
        len(person.interests) for person in campus.people
    )
