"""Reconstructs lost enrollment events from imports of the LMS's table. `spec 01 §9.2.2`

The reconstructed events are those events of the original's enrollment validation that change a learner's
state. They are derived anew in each run and not stored.
"""

from __future__ import annotations

from datetime import date

import ibis

from pharos.facts.enrollment import ACTIVATED, DEACTIVATED, MODE_CHANGED

VALIDATED = "edx.course.enrollment.validated"
MISSING = "missing"
_LEARNER = ["course_id", "user_id"]
# Enrollment states that events and validations give; a change of mode gives none.
_ON, _OFF, _SEEN_ON, _SEEN_OFF, _ABSENT = range(5)
_MICROSECOND = ibis.interval(microseconds=1)


def with_gaps_filled(events: ibis.Table, validations: ibis.Table, last_day: date) -> ibis.Table:
    """The facts `enrollment_event`, plus reconstructed events up to the last day."""
    made = missing_events(events, validations)
    made = made.mutate(date=made.time.cast("date"))
    made = made.filter(made.date <= ibis.literal(last_day))
    return events.union(made.select(events.columns).cast(events.schema()))


def missing_events(events: ibis.Table, validations: ibis.Table) -> ibis.Table:
    """The events that must have been lost, because events and validations contradict each other without them.

    `validations`: course_id, user_id, mode, is_active, created (may be null), and the moments dump_start and
    dump_end between which an import saw the row. Validations with the latest dump_end are the whole table: a
    learner with events in one of its courses but without a row was rolled back.

    Each event or validation is compared with the nearest later one that says whether the learner is enrolled
    (activation), and with the next one of any kind (mode). An event missing between two is placed one
    microsecond after the earlier one; an event missing before all of them, at the time when the LMS created
    the enrollment. There is no start of an interval here, so that time always counts.

    Columns: course_id, user_id, time, event_type, mode.
    """
    steps = _walked(_in_one(events, validations))
    return ibis.union(_activations(steps), _modes(steps), _beginnings(steps))


def _in_one(events: ibis.Table, validations: ibis.Table) -> ibis.Table:
    """Events, validations and the absences of rolled-back learners, as one table with the same columns."""
    seen = _after_races(events, validations)
    columns = [*_LEARNER, "time", "event_type", "mode", "state", "created"]
    unknown = ibis.null("timestamp(6)")
    state = ibis.cases((events.event_type == ACTIVATED, _ON), (events.event_type == DEACTIVATED, _OFF))
    absent = _absent(events, validations)
    return ibis.union(
        events.mutate(state=state.cast("int64"), created=unknown).select(columns),
        seen.mutate(
            event_type=ibis.literal(VALIDATED),
            state=ibis.ifelse(seen.is_active, _SEEN_ON, _SEEN_OFF).cast("int64"),
            created=seen.created.cast("timestamp(6)"),
        ).select(columns),
        absent.mutate(
            event_type=ibis.literal(MISSING),
            mode=ibis.null("string"),
            state=ibis.literal(_ABSENT, "int64"),
            created=unknown,
        ).select(columns),
    )


def _after_races(events: ibis.Table, validations: ibis.Table) -> ibis.Table:
    """The validations with a time: the end of the import, or before the events that the import has missed.

    An import takes a while. If an event during the import contradicts the imported row, the row was read
    before that event, unless a later event during the import agrees with the row.
    """
    during = events.select(*_LEARNER, "time", "event_type", event_mode=events["mode"])
    pairs = validations.inner_join(during, _LEARNER)
    pairs = pairs.filter(pairs.time > pairs.dump_start, pairs.time < pairs.dump_end)
    contradicts = ibis.cases(
        (pairs.event_type == DEACTIVATED, pairs.is_active),
        (pairs.event_type == ACTIVATED, ~pairs.is_active),
        else_=ibis.coalesce(pairs.event_mode != pairs["mode"], ibis.literal(value=False)),
    )
    pairs = pairs.mutate(contradicts=contradicts, agrees=(~contradicts).cast("int64"))
    later = ibis.cumulative_window(
        group_by=[*_LEARNER, "dump_end"], order_by=[ibis.desc("time"), ibis.desc("event_type")]
    )
    pairs = pairs.mutate(agree_later=pairs.agrees.sum().over(later))
    missed = pairs.filter(pairs.contradicts, pairs.agree_later == 0)
    missed = missed.group_by(*_LEARNER, "dump_end").agg(first=missed.time.min())
    found = validations.left_join(missed, [*_LEARNER, "dump_end"])
    time = ibis.coalesce(found.first - _MICROSECOND, found.dump_end)
    return found.select(*_LEARNER, "mode", "is_active", "created", time=time)


def _absent(events: ibis.Table, validations: ibis.Table) -> ibis.Table:
    """Learners with events before the latest import but no row in it: (course_id, user_id, time)."""
    latest = validations.semi_join(validations.agg(dump_end=validations.dump_end.max()), "dump_end")
    last = events.group_by(_LEARNER).agg(last=events.time.max())
    known = last.semi_join(latest, "course_id").anti_join(latest, _LEARNER)
    absent = known.cross_join(latest.agg(time=latest.dump_start.min()))
    return absent.filter(absent["last"] < absent.time)


def _walked(rows: ibis.Table) -> ibis.Table:
    """The rows numbered by time from 0, with the later state and the activation missing in between."""

    def by_learner(*order: str) -> ibis.expr.builders.WindowBuilder:
        return ibis.window(group_by=_LEARNER, order_by=list(order))

    numbered = rows.mutate(number=ibis.row_number().over(by_learner("time", "event_type", "mode")))
    # The smallest worth from an event on tells the nearest state, and the state itself.
    numbered = numbered.mutate(worth=numbered.number * 8 + numbered.state)
    from_here = ibis.cumulative_window(group_by=_LEARNER, order_by=ibis.desc("number"))
    numbered = numbered.mutate(nearest=numbered.worth.min().over(from_here))
    return numbered.mutate(
        later=numbered.nearest.lead().over(by_learner("number")) % 8,
        next_type=numbered.event_type.lead().over(by_learner("number")),
        next_mode=numbered["mode"].lead().over(by_learner("number")),
    ).mutate(made=lambda steps: _made(steps.state, steps.later))


def _made(state: ibis.IntegerValue, later: ibis.IntegerValue) -> ibis.StringValue:
    """The table of the spec: the event missing between a state and the next one; null if none is missing."""
    return ibis.cases(
        ((state == _ON) & later.isin([_SEEN_OFF, _ABSENT]), DEACTIVATED),
        ((state == _SEEN_ON) & (later == _SEEN_OFF), DEACTIVATED),
        (state.isin([_OFF, _SEEN_OFF]) & (later == _SEEN_ON), ACTIVATED),
    )


def _activations(steps: ibis.Table) -> ibis.Table:
    made = steps.filter(steps.made.notnull(), steps["mode"].notnull())
    return made.select(*_LEARNER, "mode", time=made.time + _MICROSECOND, event_type=made.made)


def _modes(steps: ibis.Table) -> ibis.Table:
    """The missing changes of mode; each follows an activation that is made at the same place.

    Before an activation event no change is needed: it has its own mode.
    """
    made = steps.filter(
        steps["mode"] != steps.next_mode,
        steps.next_mode != "",  # an event that names no mode is no change of it
        steps.next_type.notin([ACTIVATED, MODE_CHANGED]),
    )
    after = ibis.ifelse(made.made.isnull(), made.time + _MICROSECOND, made.time + 2 * _MICROSECOND)
    return made.select(*_LEARNER, mode=made.next_mode, time=after, event_type=ibis.literal(MODE_CHANGED))


def _beginnings(steps: ibis.Table) -> ibis.Table:
    """Missing first activations: of learners whose first record shows them enrolled or leaving."""
    first = steps.group_by(_LEARNER).agg(
        state=steps.worth.min() % 8,
        time=steps.time.min(where=steps.state.notnull()),
        mode=steps["mode"].max(where=steps.number == 0),
        created=steps.created.min(),
    )
    lost = first.filter(
        (first.state == _SEEN_ON) | ((first.state == _OFF) & first.created.notnull()), first["mode"].notnull()
    )
    before = lost.time - _MICROSECOND
    return lost.select(
        *_LEARNER,
        "mode",
        time=ibis.ifelse(lost.created.isnull() | (lost.created > before), before, lost.created),
        event_type=ibis.literal(ACTIVATED),
    )
