"""Decides which learner does what, and when: the days of a simulated campus, one after the other.

Learners enroll, come when it suits them and when an assignment is due, work through the outline, lose heart,
come back, upgrade, leave. Memory does not grow with the number of days: planned visits are kept in an agenda
by day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from json import dumps
from operator import attrgetter
from random import Random

from pharos.demo.activities import Activities, Record
from pharos.demo.campus import Campus
from pharos.demo.courses import Block, Course
from pharos.demo.log_lines import (
    LATEST_DAYS,
    LEARNING_SITE,
    NOBODY,
    SITE,
    US_PER_DAY,
    US_PER_S,
    Calendar,
    Client,
    Entry,
    Visit,
    in_app,
    signed_out,
)
from pharos.demo.payloads import CourseText
from pharos.demo.people import Learner, Persona

SERVERS = ("edxapp-1", "edxapp-2")
US_PER_HOUR = 3600 * US_PER_S
LAST_CALL_US = US_PER_HOUR  # before the end nothing new is begun, so that nothing is left half-done

# Share of visits by hour of the learner's own clock.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 10, 9, 9, 9, 10, 11, 13, 16, 18, 17, 11, 5)
_MODES = {"audit": 0.84, "honor": 0.07, "verified": 0.09}

Action = Callable[[Record, int], None]


class Simulation:
    """The days of a campus. After the last day, `records` holds the data of the LMS's database."""

    def __init__(self, campus: Campus) -> None:
        self._campus = campus
        self._draw = Random(f"behaviour {campus.seed}")
        self._calendar = Calendar(campus.start, campus.days)
        self._end_us = campus.days * US_PER_DAY
        self._agenda: dict[int, list[tuple[Action, Record]]] = defaultdict(list)
        self._waiting: dict[int, list[Entry]] = defaultdict(list)  # entries of days to come
        self._out: list[Entry] = []
        texts = [CourseText(course) for course in campus.courses]
        self._activities = {text.course.id: Activities(text, self._calendar, self._draw) for text in texts}
        self._teams = {course.id: _team(campus, course) for course in campus.courses}
        self.records = [
            Record(learner, texts[index]) for learner in campus.people for index in learner.interests
        ]
        for record in self.records:
            self._plan_enrollment(record)

    def days(self) -> Iterator[list[Entry]]:
        """The entries written on each day, in the order of writing."""
        for day in range(self._campus.days):
            self._out = self._waiting.pop(day, [])
            for action, record in self._agenda.pop(day, []):
                action(record, day)
            self._work_of_teams(day)
            self._end_of_courses(day)
            next_day_us = (day + 1) * US_PER_DAY
            for entry in self._out:
                if entry.written_us >= next_day_us:
                    self._waiting[entry.written_us // US_PER_DAY].append(entry)
            today = [entry for entry in self._out if entry.written_us < next_day_us]
            today.sort(key=attrgetter("written_us"))
            yield today

    # --- Enrollment ------------------------------------------------------------------------------------

    def _plan_enrollment(self, record: Record) -> None:
        """Most learners enroll around the start; a self-paced course at any time."""
        course, draw = record.text.course, self._draw
        opens, starts = self._day(course.opens), self._day(course.starts)
        last = min(self._campus.days, self._day(course.ends) if course.ends else self._campus.days) - 1
        choice = draw.random()
        if course.self_paced:
            day = draw.randint(opens, last)
        elif choice < 0.35:
            day = draw.randint(opens, starts)
        elif choice < 0.65:
            day = starts + round(draw.gauss(0, 2))
        else:
            day = starts + int(draw.expovariate(3 / max(1, last - starts)))
        way = draw.random()
        action = (
            self._enroll_by_staff if way < 0.05 else self._enroll_by_command if way < 0.06 else self._enroll
        )
        self._agenda[min(max(day, opens), last)].append((action, record))

    def _enroll(self, record: Record, day: int) -> None:
        """The learner enrolls on the course's page, and often has a first look at once."""
        us = self._moment(record.learner, day)
        client = self._client(record.learner)
        course = record.text.course
        stranger = Visit(self._calendar, self._out, signed_out(client), course.id, course.org)
        stranger.request(us, f"/courses/{course.id}/about")
        us += 20 * US_PER_S
        visit = Visit(self._calendar, self._out, client, course.id, course.org)
        visit.page = f"{SITE}/courses/{course.id}/about"
        self._ask_to(visit, us, record, "enroll")
        if record.created_us < 0:
            record.mode = self._draw.choices(list(_MODES), list(_MODES.values()))[0]
        us += 130_217
        self._activated(record, us)
        visit.server(us, "edx.course.enrollment.activated", "/change_enrollment", _enrollment(record))
        if self._draw.random() < 0.01:  # a double click
            again = us + 1_400_051
            visit.server(again, "edx.course.enrollment.activated", "/change_enrollment", _enrollment(record))
        if self._draw.random() < 0.5 and us < self._end_us - 2 * LAST_CALL_US:
            self._study(record, self._visit(record, client), us + 30 * US_PER_S)
        self._plan_visit(record, day)

    def _enroll_by_staff(self, record: Record, day: int) -> None:
        """The team enrolls the learner: `context` names the team member, the payload names the learner."""
        course = record.text.course
        person = self._draw.choice(self._teams[course.id])
        us = day * US_PER_DAY + self._draw.randrange(9 * US_PER_HOUR, 15 * US_PER_HOUR)
        visit = Visit(self._calendar, self._out, self._staff_client(person), course.id, course.org)
        visit.page = f"{SITE}/courses/{course.id}/instructor"
        path = f"/courses/{course.id}/instructor/api/students_update_enrollment"
        # The others on the list have no account yet, so that nothing happens to them.
        invited = [
            f"guest{self._draw.randrange(10_000)}@mail.example" for _ in range(self._draw.randrange(30))
        ]
        form = {"action": ["enroll"], "identifiers": [", ".join([record.learner.email, *invited])]}
        visit.request(us, path, post=dumps(form))
        self._activated(record, us + 300_119)
        visit.server(us + 300_119, "edx.course.enrollment.activated", path, _enrollment(record))
        self._plan_visit(record, day)

    def _enroll_by_command(self, record: Record, day: int) -> None:
        """An administrator's script enrolls the learner."""
        course = record.text.course
        us = day * US_PER_DAY + self._draw.randrange(6 * US_PER_HOUR, 20 * US_PER_HOUR)
        self._activated(record, us)
        self._command(
            us, course, "edx.course.enrollment.activated", "enroll_user_in_course", _enrollment(record)
        )
        self._plan_visit(record, day)

    def _activated(self, record: Record, us: int) -> None:
        record.active = True
        record.seen_us = us
        if record.created_us < 0:
            record.created_us = us

    def _unenroll(self, record: Record, day: int) -> None:
        if not record.active:
            return
        us = self._moment(record.learner, day)
        visit = self._visit(record, self._client(record.learner))
        visit.request(us, "/dashboard")
        us += 15 * US_PER_S
        self._ask_to(visit, us, record, "unenroll")
        record.active = False
        record.seen_us = us
        visit.server(
            us + 90_331, "edx.course.enrollment.deactivated", "/change_enrollment", _enrollment(record)
        )
        if self._draw.random() < 0.12:
            self._agenda[day + self._draw.randint(5, 25)].append((self._enroll, record))

    def _upgrade(self, visit: Visit, us: int, record: Record) -> int:
        """From audit to verified."""
        path = f"/verify_student/upgrade/{record.course_id}/"
        visit.request(us, path)
        visit.server(us + 20_113, "edx.course.enrollment.upgrade.clicked", path, _enrollment(record))
        record.mode = "verified"
        us += 95 * US_PER_S
        path = "/api/commerce/v1/orders/"
        visit.request(us, path, post=f'{{"course_id": ["{record.course_id}"], "mode": ["verified"]}}')
        visit.server(us + 80_271, "edx.course.enrollment.mode_changed", path, _enrollment(record))
        return us + 20 * US_PER_S

    @staticmethod
    def _ask_to(visit: Visit, us: int, record: Record, action: str) -> None:
        form = {"course_id": [record.course_id], "enrollment_action": [action]}
        visit.request(us, "/change_enrollment", post=dumps(form))

    # --- Visits ----------------------------------------------------------------------------------------

    def _come(self, record: Record, day: int) -> None:
        """A visit, in the browser or in the app."""
        if not record.active:
            return
        learner, draw = record.learner, self._draw
        us = self._moment(learner, day)
        client = self._client(learner)
        if learner.app and draw.random() < 0.35:
            self._watch_in_app(record, self._visit(record, in_app(client)), us)
        else:
            visit = self._visit(record, client)
            us = self._activities[record.course_id].arrive(visit, us)
            if record.mode == "audit" and draw.random() < 0.012 * (0.5 + learner.diligence):
                us = self._upgrade(visit, us, record)
            self._study(record, visit, us)
        self._plan_visit(record, day)

    def _study(self, record: Record, visit: Visit, us: int) -> None:
        """Work on some of the released subsections, in the order of the outline."""
        diligence, draw = record.learner.diligence, self._draw
        sequentials = record.text.course.sequentials
        released = self._released(record.text.course, us)
        budget = 1 + int(draw.expovariate(1 / (0.4 + 1.8 * diligence)))
        worked = False
        while budget and record.next_sequential < released and us < self._end_us - LAST_CALL_US:
            place = record.next_sequential
            record.next_sequential += 1
            chapter, sequential = sequentials[place]
            if draw.random() < 0.3 * (1 - diligence):  # skipped
                continue
            us = self._work_through(record, visit, us, place, chapter, sequential)
            budget -= 1
            worked = True
        if not worked and us < self._end_us - LAST_CALL_US:
            us = self._activities[record.course_id].look_around(visit, us)
            us = self._try_again(record, visit, us)
        record.seen_us = us

    def _work_through(
        self, record: Record, visit: Visit, us: int, place: int, chapter: Block, sequential: Block
    ) -> int:
        do, draw = self._activities[record.course_id], self._draw
        us = do.open(visit, us, chapter, sequential)
        record.opened.setdefault(place, us)
        for number, unit in enumerate(sequential.children):
            us = do.turn(visit, us, sequential, number)
            for block in unit.children:
                if us > self._end_us - LAST_CALL_US:
                    return us
                if block.type == "video" and draw.random() < 0.85:
                    us = do.watch(visit, us, block, record)
                elif block.type == "problem" and draw.random() < 0.9:
                    us = do.answer(
                        visit, us, record, record.text.problem_of[block.id], draw.choice((1, 2, 3, 5))
                    )
                elif block.type == "discussion" and draw.random() < 0.5:
                    us = do.discuss(visit, us, record, block)
                elif block.type == "html":
                    record.completed.setdefault(block.id, us)
        return us

    def _try_again(self, record: Record, visit: Visit, us: int) -> int:
        """Repeat one of the wrong graded problems, while there are attempts left and it is not yet due."""
        for state_index, state in record.answered.items():
            text = record.text.problems[state_index]
            block, limit = text.block, text.problem.max_attempts
            if limit is None or state.attempts >= limit or state.earned == text.problem.points:
                continue
            if block.due is None or self._us(block.due) > us + US_PER_HOUR:
                return self._activities[record.course_id].answer(visit, us, record, text, 1)
        return us

    def _watch_in_app(self, record: Record, visit: Visit, us: int) -> None:
        """Videos of the next subsection; one visit in five is made offline and arrives days later."""
        draw = self._draw
        released = self._released(record.text.course, us)
        place = min(record.next_sequential, released - 1)
        if place < 0:
            return
        offline = draw.random() < 0.2
        delay_us = draw.randrange(US_PER_DAY, (LATEST_DAYS - 1) * US_PER_DAY) if offline else 0
        _, sequential = record.text.course.sequentials[place]
        if not offline:
            visit.request(us, f"/api/mobile/v3/course_info/{record.course_id}/handouts")
        visit.page = f"{SITE}/courses/{record.course_id}/jump_to/{sequential.id}"
        for block in sequential.walk():
            if block.type == "video" and us < self._end_us - LAST_CALL_US:
                us = self._activities[record.course_id].watch_in_app(
                    visit, us + US_PER_S, delay_us, block, record
                )
        record.seen_us = us

    def _plan_visit(self, record: Record, day: int) -> None:
        """Plan the learner's next visit, or none if the learner loses heart."""
        draw, diligence = self._draw, record.learner.diligence
        if draw.random() < 0.03 + 0.16 * (1 - diligence) ** 2:
            self._lose_heart(record, day)
            return
        coming = day + 1 + int(draw.expovariate(1 / (1 + 7 * (1 - diligence))))
        if (self._campus.start.weekday() + coming) % 7 >= 5 and draw.random() < 0.45:
            coming += 2  # not at the weekend
        due = self._next_due(record, day)
        if due is not None and due - 3 <= coming <= due + 4 and draw.random() < 0.65:
            coming = max(day + 1, due - draw.choice((0, 0, 1)))
        self._agenda[coming].append((self._come, record))

    def _lose_heart(self, record: Record, day: int) -> None:
        choice = self._draw.random()
        if choice < 0.25:
            self._agenda[day + self._draw.randint(1, 10)].append((self._unenroll, record))
        elif choice < 0.4:
            self._agenda[day + self._draw.randint(12, 40)].append((self._come, record))

    def _next_due(self, record: Record, day: int) -> int | None:
        """Day of the next deadline of the course."""
        for _, sequential in record.text.course.sequentials:
            if sequential.due is not None and self._day(sequential.due) > day:
                return self._day(sequential.due)
        return None

    def _released(self, course: Course, us: int) -> int:
        """Number of subsections open to learners: a chapter opens when the previous one is due."""
        start_us = self._us(course.starts)
        if us < start_us:
            return 0
        if course.ends is None:
            return len(course.sequentials)
        chapter_us = (self._us(course.ends) - start_us) // len(course.root.children)
        return min(2 * (1 + (us - start_us) // chapter_us), len(course.sequentials))

    # --- The team and the machines ---------------------------------------------------------------------

    def _work_of_teams(self, day: int) -> None:
        """The team looks at the instructor dashboard, and sometimes has a problem rescored."""
        for course in self._campus.courses:
            if self._draw.random() > 0.4 or day < self._day(course.opens):
                continue
            person = self._draw.choice(self._teams[course.id])
            us = day * US_PER_DAY + self._draw.randrange(8 * US_PER_HOUR, 16 * US_PER_HOUR)
            visit = Visit(self._calendar, self._out, self._staff_client(person), course.id, course.org)
            visit.request(us, f"/courses/{course.id}/instructor")
            visit.request(us + 3 * US_PER_S, f"/courses/{course.id}/instructor/api/list_course_role_members")
            if self._draw.random() < 0.2:
                self._rescore(visit, us + 60 * US_PER_S, course)

    def _rescore(self, visit: Visit, us: int, course: Course) -> None:
        candidates = self._draw.sample(self.records, min(20, len(self.records)))
        for record in candidates:
            if record.text.course is course and record.answered:
                index, state = next(iter(record.answered.items()))
                text = record.text.problems[index]
                event = {
                    "problem_id": text.block.id,
                    "orig_score": state.earned,
                    "orig_total": text.problem.points,
                    "new_score": state.earned,
                    "new_total": text.problem.points,
                    "success": "correct" if state.earned == text.problem.points else "incorrect",
                    "attempts": state.attempts,
                }
                us += 211_403
                visit.task(us, "problem_rescore", dumps(event))

    def _end_of_courses(self, day: int) -> None:
        """Certificates for learners who passed, the day after a course has ended."""
        for course in self._campus.courses:
            if course.ends is None or self._day(course.ends) != day:
                continue
            us = self._us(course.ends) + 2 * US_PER_HOUR
            for record in self.records:
                paid = record.mode in {"verified", "honor"}
                if record.text.course is course and record.active and paid and record.passed_us >= 0:
                    us += 702_119
                    record.certificate_us = us
                    event = {
                        "user_id": record.learner.user_id,
                        "course_id": course.id,
                        "certificate_id": f"{self._draw.getrandbits(128):032x}",
                        "enrollment_mode": record.mode,
                        "generation_mode": "batch",
                    }
                    self._command(us, course, "edx.certificate.created", "cert_generation", dumps(event))

    def _command(self, us: int, course: Course, name: str, command: str, event: str) -> None:
        Visit(self._calendar, self._out, NOBODY, course.id, course.org).command(
            us, name, f"./manage.py lms {command}", event
        )

    # --- Where and when --------------------------------------------------------------------------------

    def _moment(self, learner: Learner, day: int) -> int:
        """A time of the UTC day that suits the learner; on the last day early enough."""
        hour = (self._draw.choices(range(24), _HOURS)[0] - learner.hours_east) % 24
        us = day * US_PER_DAY + hour * US_PER_HOUR + self._draw.randrange(US_PER_HOUR)
        return min(us, self._end_us - 2 * LAST_CALL_US - self._draw.randrange(US_PER_HOUR))

    def _client(self, learner: Learner) -> Client:
        draw = self._draw
        return Client(
            learner.user_id,
            learner.username,
            f"{draw.getrandbits(128):032x}",
            draw.choice(learner.addresses),
            learner.agent,
            f"{learner.language},en;q=0.5" if learner.language != "en" else "en-US,en;q=0.9",
            draw.randrange(len(SERVERS)),
            draw.choice((7, 8, 9, 12)),
        )

    def _staff_client(self, person: Persona) -> Client:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        session = f"{self._draw.getrandbits(128):032x}"
        return Client(person.user_id, person.username, session, "10.20.0.17", agent, "en-US,en;q=0.9", 0, 7)

    def _visit(self, record: Record, client: Client) -> Visit:
        """A visit, two in five of them through the learning micro-frontend."""
        course = record.text.course
        visit = Visit(self._calendar, self._out, client, course.id, course.org)
        visit.page = f"{SITE}/dashboard"
        if self._draw.random() < 0.4:
            visit.page_names_course = False
            visit.page = f"{LEARNING_SITE}/course/{course.id}/home"
        return visit

    def _us(self, moment: datetime) -> int:
        return int((moment - self._campus.start).total_seconds()) * US_PER_S

    def _day(self, moment: datetime) -> int:
        return (moment - self._campus.start).days


def _team(campus: Campus, course: Course) -> list[Persona]:
    return [person for person in campus.personas if course.id in person.courses]


def _enrollment(record: Record) -> str:
    """Payload of the enrollment events (spec 01 §5.1)."""
    return (
        f'{{"course_id": "{record.course_id}", "user_id": {record.learner.user_id}, "mode": "{record.mode}"}}'
    )
