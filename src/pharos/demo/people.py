"""The people of the simulated campus: learners drawn from a seed, and the personas who can sign in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import ip_network
from random import Random
from typing import Any

import yaml

from pharos.demo.courses import Course

FIRST_LEARNER_ID = 101
SERVICE_USER_ID = 1

_NAMES = {
    "western": (
        "Anna Ben Clara David Emma Felix Grace Henry Irène Jan Kate Léo Marta Noah Olga Paul Rosa Sam Théa Will",
        "Adams Becker Clarke Dupont Evans Fischer Garnier Hall Ivanov Jansen Kowalska Lefèvre Müller Novak Rossi",
    ),
    "iberian": (
        "Alejandra Bruno Camila Diego Elena Fernando Gabriela Hugo Inês João Lucía Mateo Núria Óscar Paula Raúl",
        "Almeida Barros Castillo Díaz Fernández Gómez Herrera Lima Muñoz Nogueira Ortega Peña Ramírez Silva Souza",
    ),
    "indian": (
        "Aarav Bhavna Chetan Deepa Esha Farhan Gauri Harish Isha Kiran Lakshmi Meera Nikhil Priya Rohan Sanjay",
        "Agarwal Banerjee Chopra Das Gupta Iyer Joshi Kapoor Mehta Nair Patel Rao Reddy Sharma Singh Verma",
    ),
    "african": (
        "Abeni Chidi Dalila Emeka Fatou Grace Ibrahim Joy Kofi Lerato Musa Ngozi Obi Wanjiru Yusuf Zainab",
        "Abiodun Balogun Chukwu Eze Kamau Mensah Mwangi Njoroge Nwosu Okafor Okonkwo Otieno Owusu Wambui",
    ),
    "arabic": (
        "Ahmed Aisha Bilal Dina Farah Hassan Iman Khalid Layla Mona Nadia Omar Rania Samir Tariq Yasmin",
        "Abbas Aziz Darwish El-Sayed Farouk Haddad Hussein Ibrahim Khan Malik Mansour Nasser Qureshi Saleh",
    ),
    "chinese": (
        "Bo Chen Fang Gang Hui Jing Jun Lan Lei Li Mei Min Na Ping Tao Wei Xia Yan Ying Zhen",
        "Chen Deng Guo Huang Li Lin Liu Ma Sun Wang Wu Xu Yang Zhang Zhao Zhou",
    ),
    "japanese": (
        "Aiko Daichi Emi Haruto Hina Kenji Mao Naoki Rin Sakura Sota Yui Yuto",
        "Fujita Ito Kato Kobayashi Mori Nakamura Saito Sasaki Suzuki Tanaka Watanabe Yamada",
    ),
}
_GENDERS = (("m", 0.46), ("f", 0.41), ("o", 0.02), ("", 0.04), (None, 0.07))
_EDUCATION = (
    ("b", 0.34), ("m", 0.24), ("hs", 0.14), ("a", 0.06), ("p", 0.05), ("jhs", 0.03), ("el", 0.01),
    ("none", 0.01), ("other", 0.03), ("", 0.03), (None, 0.06),
)  # fmt: skip
_AGENTS = (
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", 0.45),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", 0.2),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", 0.1),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", 0.12),
    ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36", 0.13),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner. `diligence` and `ability` lie in [0, 1); None in the profile means "did not say"."""

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


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who signs in to see the demo. `courses` are those whose team the persona is in."""

    user_id: int
    username: str
    password: str
    name: str
    email: str
    role: str  # for the sign-in page
    superuser: bool = False
    global_staff: bool = False
    courses: tuple[str, ...] = ()


def draw_personas(courses: tuple[Course, ...]) -> tuple[Persona, ...]:
    """The demo sign-ins: one of each kind of access."""
    first, second, third = (course.id for course in courses)
    return tuple(
        Persona(user_id, username, f"{username}-demo", name, f"{username}@campus.example", role, *rights)
        for user_id, username, name, role, rights in [
            (2, "sofia", "Sofia Lindqvist", "Superuser: sees every course", (True, True)),
            (3, "marek", "Marek Zieliński", "Global staff: sees every course", (False, True)),
            (4, "ines", "Inês Carvalho", "Course team of one course", (False, False, (first,))),
            (5, "tomas", "Tomás Okoye", "Course team of two courses", (False, False, (second, third))),
            (6, "lena", "Lena Fischer", "Learner: sees no course", ()),
        ]
    )


def draw_learners(seed: int, number: int) -> tuple[Learner, ...]:
    """`number` learners, the same ones for the same seed."""
    draw = Random(f"people {seed}")
    text = files("pharos.demo").joinpath("content/countries.yaml").read_text(encoding="utf-8")
    countries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    codes = list(countries)
    shares = [countries[code]["share"] for code in codes]
    return tuple(
        _learner(draw, FIRST_LEARNER_ID + index, code, countries[code])
        for index, code in enumerate(draw.choices(codes, shares, k=number))
    )


def _learner(draw: Random, user_id: int, code: str, country: Mapping[str, Any]) -> Learner:
    given, family = (draw.choice(names.split()) for names in _NAMES[country["names"]])
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
        gender=_weighted(draw, _GENDERS),
        year_of_birth=None if draw.random() < 0.12 else 2008 - int(draw.gammavariate(2.2, 8)),
        education=_weighted(draw, _EDUCATION),
        addresses=tuple(addresses),
        agent=_weighted(draw, _AGENTS) or "",
        app=draw.random() < 0.3,
        diligence=draw.betavariate(1.3, 1.9),
        ability=draw.betavariate(4, 2.5),
    )


def _weighted(draw: Random, values: tuple[tuple[str | None, float], ...]) -> str | None:
    return draw.choices([value for value, _ in values], [weight for _, weight in values])[0]


def _address(draw: Random, networks: list[str]) -> str:
    network = ip_network(draw.choice(networks))
    return str(network[draw.randrange(1, min(network.num_addresses, 1 << 100) - 1)])


def _ascii(name: str) -> str:
    plain = str.maketrans("éèíóúáãâêçñüÓÉı", "eeiouaaaecnuOEi")
    return "".join(character for character in name.translate(plain) if character.isascii()).lower()
