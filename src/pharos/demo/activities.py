"""Activities of a learner on a page, and the events they cause: watch, answer, discuss, look around.

Each activity takes its start time (microseconds since the start of the campus) and returns its end time.
`behaviour` decides which activities take place, and when.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from json import dumps
from random import Random
from urllib.parse import parse_qs

from pharos.demo.courses import Block, Video
from pharos.demo.log_lines import LEARNING_SITE, US_PER_S, Calendar, Visit
from pharos.demo.payloads import PASSING, Answer, CourseText, ProblemText, earned_by
from pharos.demo.people import Learner

READS_ALONG = 6  # of so many learners one reads the transcripts of videos
WATCHED = 0.95  # of a video: from there on it counts as completed


@dataclass(slots=True)
class Answered:
    """The state of a learner in a problem. Times are microseconds since the start of the campus."""

    answers: list[Answer]
    attempts: int
    earned: float
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Post:
    """A post in the forum; ids are those of the events."""

    id: str
    course_id: str
    topic: str
    author: Learner
    us: int
    thread: str | None = None
    """The thread it answers; None: it begins one."""
    parent: str | None = None
    """The answer it comments on."""


@dataclass(slots=True)
class Record:
    """The state of a learner in a course run; the LMS's database is written from it at the end of the
    simulation.
    """

    learner: Learner
    text: CourseText
    created_us: int = -1  # first enrollment
    active: bool = False
    mode: str = "audit"
    next_sequential: int = 0
    opened: dict[int, int] = field(default_factory=dict)  # subsection by its place -> first time
    answered: dict[int, Answered] = field(default_factory=dict)  # problem by its index
    completed: dict[str, int] = field(default_factory=dict)  # block by its id -> first time
    posts: list[Post] = field(default_factory=list)
    percent: float = 0.0
    graded_us: int = -1
    passed_us: int = -1
    certificate_us: int = -1
    seen_us: int = -1

    @property
    def course_id(self) -> str:
        return self.text.course.id

    def earned(self) -> list[float]:
        """Points by problem."""
        points = [0.0] * len(self.text.problems)
        for index, state in self.answered.items():
            points[index] = state.earned
        return points


class Activities:
    """The activities in one course run; keeps the latest threads, so that learners can answer them."""

    def __init__(self, text: CourseText, calendar: Calendar, draw: Random) -> None:
        self._text, self._calendar, self._draw = text, calendar, draw
        self._course_id = text.course.id
        self._threads: deque[tuple[str, str, str]] = deque(maxlen=50)  # (topic, thread, author)
        self._answers: dict[str, str] = {}  # thread -> its latest answer

    # --- Pages -----------------------------------------------------------------------------------------

    def arrive(self, visit: Visit, us: int) -> int:
        """Visit the course's home page."""
        visit.request(us, "/dashboard")
        us += self._pause(4)
        course_id = self._course_id
        if visit.page_names_course:
            visit.request(us, f"/courses/{course_id}/course/")
        else:
            visit.page = f"{LEARNING_SITE}/course/{course_id}/home"
            for path in ("course_metadata", "outline", "dates"):
                visit.request(us, f"/api/course_home/{path}/{course_id}")
                us += self._pause(0.2)
        return us + self._pause(8)

    def look_around(self, visit: Visit, us: int) -> int:
        """Visit progress page and forum, without any activity."""
        course_id = self._course_id
        if visit.page_names_course:
            visit.request(us, f"/courses/{course_id}/progress")
        else:
            visit.page = f"{LEARNING_SITE}/course/{course_id}/progress"
            visit.request(us, f"/api/course_home/progress/{course_id}")
        us += self._pause(25)
        visit.request(us, f"/api/discussion/v1/courses/{course_id}/")
        return us + self._pause(40)

    def open(self, visit: Visit, us: int, chapter: Block, sequential: Block) -> int:
        """Enter a subsection."""
        if visit.page_names_course:
            visit.page = self._text.old_page(chapter, sequential)
            visit.request(us, f"/courses/{self._course_id}/courseware/{chapter.key}/{sequential.key}/")
        else:
            visit.page = self._text.learning_page(sequential)
            visit.request(us, f"/api/courseware/sequence/{sequential.id}")
        return us + self._pause(2)

    def turn(self, visit: Visit, us: int, sequential: Block, place: int) -> int:
        """Go to the unit at this position (0 is the first) of the open subsection."""
        unit = sequential.children[place]
        if place:
            visit.browser(
                us,
                "edx.ui.lms.sequence.next_selected",
                f'{{"current_tab": {place}, "id": "{sequential.id}", '
                f'"tab_count": {len(sequential.children)}, "widget_placement": "top"}}',
            )
        us += self._pause(0.3)
        if visit.page_names_course:
            handler = f"/courses/{self._course_id}/xblock/{sequential.id}/handler/goto_position"
            visit.request(us, handler, post=f'{{"position": ["{place + 1}"]}}')
        else:
            visit.page = self._text.unit_page(unit)
            get = '{"show_title": ["0"], "show_bookmark_button": ["0"], "view": ["student_view"]}'
            visit.request(us, f"/xblock/{unit.id}", get=get)
        return us + self._pause(1)

    # --- Videos ----------------------------------------------------------------------------------------

    def watch(self, visit: Visit, us: int, block: Block, record: Record) -> int:
        """Watch in the browser."""
        video = block.video
        if video is None:
            raise ValueError(block.id)
        code = video.youtube if video.duration_s % 2 else "html5"
        head = f'{{"id": "{block.key}", "code": "{code}", "duration": {video.duration_s}'

        def send(moment_us: int, event_type: str, event: str) -> None:
            visit.browser(moment_us, event_type, f"{head}{event}}}")

        send(us, "load_video", "")
        self._show_transcript(us, record.learner, send)
        diligence = record.learner.diligence
        us, position = self._play(us + self._pause(3), video, diligence, send)
        if position >= WATCHED * video.duration_s:
            record.completed.setdefault(block.id, us)
        if position >= video.duration_s:
            send(us, "pause_video", f', "currentTime": {video.duration_s}')
            send(us + 12_345, "stop_video", f', "currentTime": {video.duration_s}')
        elif self._draw.random() < 0.7:  # the others close the page
            send(us, "pause_video", f', "currentTime": {position}')
        clock = f"{int(position) // 3600:02d}:{int(position) // 60 % 60:02d}:{int(position) % 60:02d}"
        handler = f"/courses/{self._course_id}/xblock/{block.id}/handler/xmodule_handler/save_user_state"
        visit.request(us + 90_000, handler, post=f'{{"saved_video_position": ["{clock}"]}}')
        return us + self._pause(5)

    def watch_in_app(self, visit: Visit, us: int, delay_us: int, block: Block, record: Record) -> int:
        """Watch in the app, which is offline if `delay_us` is positive. The app gives no duration."""
        video = block.video
        if video is None:
            raise ValueError(block.id)
        head = f'{{"id": "{block.key}", "code": "mobile"'

        def send(moment_us: int, event_type: str, event: str) -> None:
            visit.app(moment_us, moment_us + delay_us + 800_000, event_type, f"{head}{event}}}")

        send(us, "load_video", "")
        self._show_transcript(us, record.learner, send)
        diligence = record.learner.diligence
        us, position = self._play(us + self._pause(2), video, diligence, send)
        if position >= WATCHED * video.duration_s:
            record.completed.setdefault(block.id, us)
        send(
            us,
            "stop_video" if position >= video.duration_s else "pause_video",
            f', "currentTime": {position}',
        )
        return us + self._pause(5)

    @staticmethod
    def _show_transcript(us: int, learner: Learner, send: Callable[[int, str, str], None]) -> None:
        """Some read along, always the same ones."""
        if learner.user_id % READS_ALONG == 0:
            send(us + 500_000, "show_transcript", ', "currentTime": 0')

    def _play(
        self, us: int, video: Video, diligence: float, send: Callable[[int, str, str], None]
    ) -> tuple[int, float]:
        """Play, pause and seek until the end or until the learner stops; returns time and position."""
        draw, position, duration_s = self._draw, 0.0, float(video.duration_s)
        speed = draw.choice((1.0, 1.0, 1.0, 1.25, 1.5))
        turns = _turns(video, draw)
        send(us, "play_video", ', "currentTime": 0')
        while True:
            stretch_s = min(draw.expovariate(1.3 / duration_s), duration_s - position)
            turn = next((turn for turn in turns if position < turn.at_s <= position + stretch_s), None)
            if turn is not None:
                turns.remove(turn)
                us += int((turn.at_s - position) / speed * US_PER_S) + 1
                if turn.to_s is None:
                    return us, turn.at_s
                event = f', "old_time": {turn.at_s}, "new_time": {turn.to_s}, "type": "onSlideSeek"'
                send(us, "seek_video", event)
                us, position = us + self._pause(0.6), turn.to_s
                send(us, "play_video", f', "currentTime": {position}')
                continue
            us += int(stretch_s / speed * US_PER_S) + 1
            position = round(position + stretch_s, 3)
            choice = draw.random()
            if position >= duration_s or choice < 0.35 - 0.3 * diligence:
                return us, min(position, duration_s)
            if choice < 0.7:
                send(us, "pause_video", f', "currentTime": {position}')
                us += self._pause(45)
            else:
                target = round(min(max(0.0, position + draw.choice((-40, -15, 20, 60))), duration_s - 2), 3)
                event = f', "old_time": {position}, "new_time": {target}, "type": "onSlideSeek"'
                send(us, "seek_video", event)
                us += self._pause(0.6)
                position = target
            send(us, "play_video", f', "currentTime": {position}')

    # --- Problems --------------------------------------------------------------------------------------

    def answer(self, visit: Visit, us: int, record: Record, text: ProblemText, tries: int) -> int:
        """Answer a problem, up to `tries` times or until all is right."""
        draw, ability = self._draw, record.learner.ability
        state = record.answered.get(text.index)
        used = state.attempts if state else 0
        limit = text.problem.max_attempts or used + tries
        us += self._pause(45)
        for attempt in range(used + 1, min(used + tries, limit) + 1):
            us = self._submit(visit, us, record, text, attempt, _chance(text, ability, attempt))
            if record.answered[text.index].earned == text.problem.points or draw.random() < 0.2:
                break
            us += self._pause(40)
            if draw.random() < 0.12:
                us = self._hint(visit, us, text)
        if text.problem.max_attempts is None and draw.random() < 0.15:
            us = self._show_answer(visit, us, text)
        return us + self._pause(10)

    def _submit(
        self, visit: Visit, us: int, record: Record, text: ProblemText, attempt: int, chance: float
    ) -> int:
        draw = self._draw
        variant = text.variant(record.learner.user_id, self._calendar.moment(us))
        answers = [part.draw(draw, chance) for part in variant.inputs]
        form = "&".join([answer.form for answer in answers])
        path = f"{text.handler}problem_check"
        state = record.answered.get(text.index)
        visit.browser(us, "problem_check", f'"{form}"')
        us += self._pause(0.2)
        visit.request(us, path, post=dumps(parse_qs(form)))
        us += 41_307
        before = state.answers if state else []
        visit.server(us, "problem_check", path, text.check(variant, before, answers, attempt), text.module)
        self._grade(visit, us + 18_211, record, text, answers)
        us += self._pause(0.3)
        visit.browser(us, "problem_graded", text.graded(form, answers))
        return us

    def _grade(self, visit: Visit, us: int, record: Record, text: ProblemText, answers: list[Answer]) -> None:
        """Compute the grade of a submission and write its events, as the LMS does."""
        earned = earned_by(answers)
        state = record.answered.get(text.index)
        record.completed.setdefault(text.block.id, us)
        if state is None:
            record.answered[text.index] = Answered(answers, 1, earned, us, us)
        else:
            state.answers, state.attempts, state.earned, state.last_us = (
                answers,
                state.attempts + 1,
                earned,
                us,
            )
        number = f"{self._draw.getrandbits(128):032x}"
        transaction = f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}"
        user_id, course_id, path = record.learner.user_id, self._course_id, f"{text.handler}problem_check"
        submitted = text.submitted(user_id, course_id, transaction, earned)
        visit.server(us, "edx.grades.problem.submitted", path, submitted, text.module)
        points = record.earned()
        first = self._calendar.iso(record.answered[text.index].first_us).replace("T", " ")
        section = self._text.subsection_graded(user_id, text.sequential, points, transaction, first)
        visit.server(us + 70_113, "edx.grades.subsection.grade_calculated", path, section, text.module)
        if not text.block.graded:
            return
        record.percent, record.graded_us = self._text.grade(points), us + 95_731
        graded = self._text.course_graded(user_id, record.percent, transaction)
        visit.server(us + 95_731, "edx.grades.course.grade_calculated", path, graded, text.module)
        if record.percent >= PASSING and record.passed_us < 0:
            record.passed_us = us + 96_402
            passed = f'{{"course_id": "{course_id}", "user_id": {user_id}}}'
            visit.server(us + 96_402, "edx.course.grade.passed.first_time", path, passed)
            visit.server(us + 96_915, "edx.course.grade.now_passed", path, passed)

    def _hint(self, visit: Visit, us: int, text: ProblemText) -> int:
        hint = "Read the question once more, then estimate before you compute."
        event = dumps({"module_id": text.block.id, "hint_index": 0, "hint_len": 1, "hint_text": hint})
        path = f"{text.handler}hint_button"
        visit.request(us, path, post='{"hint_index": ["0"], "input_id": ["problem"]}')
        visit.server(us + 11_000, "edx.problem.hint.demandhint_displayed", path, event, text.module)
        return us + self._pause(20)

    def _show_answer(self, visit: Visit, us: int, text: ProblemText) -> int:
        path = f"{text.handler}problem_show"
        visit.browser(us, "problem_show", f'{{"problem": "{text.block.id}"}}')
        visit.request(us + 120_000, path)
        event = f'{{"problem_id": "{text.block.id}"}}'
        visit.server(us + 131_000, "showanswer", path, event, text.module)
        return us + self._pause(30)

    # --- Forum -----------------------------------------------------------------------------------------

    def discuss(self, visit: Visit, us: int, record: Record, block: Block) -> int:
        """Read, and sometimes write or vote, in the topic of a discussion block."""
        draw, topic = self._draw, block.key
        visit.request(us, "/api/discussion/v1/threads/", get=f'{{"topic_id": ["{topic}"]}}')
        us += self._pause(30)
        wish = draw.random()
        if wish < 0.14:
            thread = self._forum_id()
            self._threads.append((topic, thread, record.learner.username))
            record.posts.append(Post(thread, self._course_id, topic, record.learner, us))
            self._forum(visit, us, "thread.created", "/api/discussion/v1/threads/", topic, thread, _THREAD)
        elif wish < 0.4 and self._threads:
            topic, thread, author = draw.choice(self._threads)
            path = "/api/discussion/v1/comments/"
            event = f'"discussion": {{"id": "{thread}"}}, {_RESPONSE}'
            if wish < 0.3:
                parent = self._answers.get(thread) if wish >= 0.24 else None
                post = Post(self._forum_id(), self._course_id, topic, record.learner, us, thread, parent)
                record.posts.append(post)
                if parent is None:
                    self._answers[thread] = post.id
                    self._forum(visit, us, "response.created", path, topic, post.id, event)
                else:
                    event = f'"response": {{"id": "{parent}"}}, {event}'
                    self._forum(visit, us, "comment.created", path, topic, post.id, event)
            else:
                event = f'"target_username": "{author}", "undo_vote": false, "vote_value": "up"'
                path = f"/api/discussion/v1/threads/{thread}/"
                self._forum(visit, us, "thread.voted", path, topic, thread, event)
        return us + self._pause(60)

    def _forum(
        self, visit: Visit, us: int, action: str, path: str, topic: str, content_id: str, event: str
    ) -> None:
        visit.server(
            us,
            f"edx.forum.{action}",
            path,
            f'{{"commentable_id": "{topic}", "id": "{content_id}", "url": "{visit.page}", {event}, '
            '"user_forums_roles": ["Student"], "user_course_roles": []}',
        )

    def _forum_id(self) -> str:
        return f"{self._draw.getrandbits(96):024x}"

    def _pause(self, mean_s: float) -> int:
        """A random pause of about `mean_s` seconds, in microseconds; more than 0, and at most four times the
        mean.
        """
        return 1 + int(min(self._draw.expovariate(1 / mean_s), 4 * mean_s) * US_PER_S)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A second of a video at which a learner jumps to another second, or leaves (None)."""

    at_s: float
    to_s: float | None


def _turns(video: Video, draw: Random) -> list[_Turn]:
    """A learner's reactions to the faults of a video: skip, watch again, leave."""
    turns = []
    if video.opening_s and draw.random() < 0.5:
        turns.append(_Turn(2.0, video.opening_s + round(draw.uniform(-2, 2), 3)))
    if video.hard and draw.random() < 0.55:
        start, end = (second + round(draw.uniform(-3, 3), 3) for second in video.hard)
        turns.append(_Turn(end, start))
    if video.dull_s and draw.random() < 0.4:
        turns.append(_Turn(video.dull_s + round(draw.uniform(-4, 4), 3), None))
    return turns


def _chance(text: ProblemText, ability: float, attempt: int) -> float:
    """The probability that an answer counts as right; `ability` is from 0 to 1."""
    chance = 0.3 + 0.55 * ability - 0.1 * (text.index % 3) + 0.15 * (attempt - 1)
    if text.problem.badly_keyed:  # who knows the true answer gives it
        return 0.5 - 0.45 * ability + 0.15 * (attempt - 1)
    return chance - 0.3 if text.problem.misleading else chance


_THREAD = dumps(
    {
        "title": "How do you do this?",
        "title_truncated": False,
        "body": "<p>I read the unit twice and still wonder.</p>",
        "truncated": False,
        "thread_type": "question",
        "anonymous": False,
        "anonymous_to_peers": False,
        "group_id": None,
        "category_id": None,
        "options": {"followed": True},
        "from_mfe_sidebar": True,
    }
)[1:-1]
_RESPONSE = dumps(
    {
        "body": "<p>Have a look at the second video.</p>",
        "truncated": False,
        "options": {"followed": False},
        "from_mfe_sidebar": True,
    }
)[1:-1]
