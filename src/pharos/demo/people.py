"""The people of the simulated campus: learners drawn from a seed, and the personas who can sign in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import ip_network
from random import Random
from typing import Any
from unicodedata import normalize

import yaml

from pharos.demo.courses import Course

FIRST_LEARNER_ID = 101
SERVICE_USER_ID = 1


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner. `diligence` and `ability` are in [0, 1); None in the profile means "did not say"."""

    user_id: int
    username: str
    name: str
    email: str
    country: str | None  # of the profile; `addresses` tell the real one
    language: str
    hours_east: int  # of UTC
    gender: str | None
    year_of_birth: int | None
    education: str | None
    addresses: tuple[str, ...]
    agent: str
    app: bool  # uses the mobile app as well
    diligence: float
    ability: float
    interests: tuple[int, ...]  # the course runs to enroll in, by their place in the campus


@dataclass(frozen=True, slots=True)
class Persona:
    """A person who can sign in to the demo. `courses`: the course runs whose team the persona belongs to."""

    user_id: int
    username: str
    password: str
    name: str
    email: str
    role: str  # for the sign-in page
    superuser: bool = False
    global_staff: bool = False
    courses: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()  # whose courses, all of them, the persona is in the team of
    language: str | None = None  # chosen at the LMS (`pref-lang`)


def draw_personas(courses: tuple[Course, ...]) -> tuple[Persona, ...]:
    """The demo sign-ins: one of each kind of access."""
    first, second, third, earlier = (course.id for course in courses)
    return (
        _persona(2, "Sofia Lindqvist", "Superuser: sees every course", superuser=True, global_staff=True),
        _persona(3, "Marek Zieliński", "Global staff: sees every course", global_staff=True),
        _persona(4, "Inês Carvalho", "Course team of one course", courses=(first,)),
        _persona(
            5,
            "Tomás Okoye",
            "Course team of two courses, of one with its earlier run",
            courses=(second, third, earlier),
        ),
        _persona(6, "Lena Fischer", "Learner: sees no course"),
    )


def _persona(
    user_id: int,
    name: str,
    role: str,
    *,
    superuser: bool = False,
    global_staff: bool = False,
    courses: tuple[str, ...] = (),
) -> Persona:
    username = _ascii(name.partition(" ")[0])
    email = f"{username}@campus.example"
    return Persona(user_id, username, f"{username}-demo", name, email, role, superuser, global_staff, courses)


def draw_learners(seed: int, number: int, shares: Sequence[float]) -> tuple[Learner, ...]:
    """`number` learners, the same for the same seed; `shares`: the share that wants each course run."""
    draw = Random(f"people {seed}")
    countries, traits = _content("countries"), _content("people")
    codes = list(countries)
    populations = [countries[code]["share"] for code in codes]
    return tuple(
        _learner(draw, FIRST_LEARNER_ID + index, code, countries[code], traits, shares)
        for index, code in enumerate(draw.choices(codes, populations, k=number))
    )


def _learner(
    draw: Random,
    user_id: int,
    code: str,
    country: Mapping[str, Any],
    traits: Mapping[str, Any],
    shares: Sequence[float],
) -> Learner:
    names = traits["names"][country["names"]]
    given, family = draw.choice(names["given"].split()), draw.choice(names["family"].split())
    form = draw.choice(["{g}{n}", "{g}_{f}{n}", "{g}.{f}{n}", "{f}-{n}", "{g}{f}{n}"])
    username = form.format(g=_ascii(given), f=_ascii(family), n=user_id)
    addresses = [_address(draw, country["networks"]) for _ in range(draw.choice([1, 1, 2, 3]))]
    if draw.random() < 0.02:
        addresses = [f"10.20.{draw.randrange(256)}.{draw.randrange(1, 255)}"]  # from inside the university
    elif draw.random() < 0.01:
        addresses.append(_address(draw, ["73.0.0.0/8"]))  # travels
    return Learner(
        user_id=user_id,
        username=username[:30],
        name=f"{given} {family}",
        email=f"{username}@mail.example",
        country=code if draw.random() < 0.85 else None,
        language=country["language"],
        hours_east=country["hours"],
        gender=_weighted(draw, traits["genders"]),
        year_of_birth=None if draw.random() < 0.12 else 2008 - int(draw.gammavariate(2.2, 8)),
        education=_weighted(draw, traits["education"]),
        addresses=tuple(addresses),
        agent=_weighted(draw, traits["agents"]) or "",
        app=draw.random() < 0.3,
        diligence=draw.betavariate(1.3, 1.9),
        ability=draw.betavariate(4, 2.5),
        interests=_interests(draw, shares),
    )


def _content(name: str) -> dict[str, Any]:
    text = files("pharos.demo").joinpath(f"content/{name}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _interests(draw: Random, shares: Sequence[float]) -> tuple[int, ...]:
    wanted = tuple(index for index, share in enumerate(shares) if draw.random() < share)
    return wanted or (draw.choices(range(len(shares)), shares)[0],)


def _weighted(draw: Random, values: Sequence[tuple[str | None, float]]) -> str | None:
    return draw.choices([value for value, _ in values], [weight for _, weight in values])[0]


def _address(draw: Random, networks: list[str]) -> str:
    network = ip_network(draw.choice(networks))
    return str(network[draw.randrange(1, min(network.num_addresses, 1 << 100) - 1)])


def _ascii(name: str) -> str:
    letters = normalize("NFD", name)  # accents become characters of their own
    return "".join(character for character in letters if character.isascii()).lower()
