"""Events of tracks and windows: told once, after what flickers is over, and not of pictures that cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from herd_scene import tracks

from agent.core.events import CameraWatch, job_over, model_changed
from agent.core.herd.alerts import STILL_S, Alerts, Counts, Stillness, ViewChanges
from agent.core.herd.motion import Motion
from agent.core.types import Event, EventType, Job, JobState, Problem, Severity, Summary, Tracks, View

LABELS = ("pig", "person")
PLAIN = Summary(
    start_time=0.0, end_time=10.0, period_s=10.0, covered_s=10.0, frames=100, frames_dropped=0, view=View.OK, count=20,
    count_mean=20.0, count_error=0.0, known_count=20, count_off=False, counts={"pig": 20}, score_mean=0.9,
    activity=None, moving_ratio=None, distance_bl=0.0, spacing_bl=None, longest_still_s=0.0, id_switches=0,
    total_animal_s=0.0, total_distance_bl=0.0, tracks=(), tracks_omitted=0,
)  # fmt: skip


def windows(*changes: dict[str, object], period_s: float = 10.0) -> list[Summary]:
    """One after the other, covered by pictures unless said otherwise."""
    made = []
    for i, change in enumerate(changes):
        time = {"start_time": i * period_s, "end_time": (i + 1) * period_s, "period_s": period_s, "covered_s": period_s}
        made.append(replace(PLAIN, **{**time, **change}))  # type: ignore[arg-type]
    return made


def counted(*counts: int | None, **more: object) -> list[Summary]:
    """Windows of so many animals of 20; None: a blind one."""
    return windows(
        *(
            {"covered_s": 0.0, "count": 0}
            if count is None
            else {"count": count, "count_off": count != 20, "counts": {"pig": count}, **more}
            for count in counts
        )
    )


def told(fold: ViewChanges | Counts, summaries: Iterable[Summary]) -> list[tuple[str, float]]:
    events = [fold.add(summary) for summary in summaries]
    return [(event.event_type.value, event.time) for event in events if event is not None]


def test_a_count_is_off_after_a_minute_and_ok_after_another() -> None:
    events = [event for event in map(Counts().add, counted(*[20] * 6, *[19] * 8, *[20] * 8)) if event]
    assert [(event.event_type, event.time) for event in events] == [
        (EventType.COUNT_OFF, 120.0),
        (EventType.COUNT_OK, 200.0),
    ]
    assert (events[0].count, events[0].known_count, events[0].severity) == (19, 20, Severity.WARNING)
    assert events[0].message == "19 seen where there should be 20"


def test_what_flickers_is_not_told() -> None:
    assert told(Counts(), counted(*[19, 19, 19, 19, 19, 20] * 20)) == []


def test_long_windows_need_three() -> None:
    off = {"count": 19, "count_off": True}
    assert told(Counts(), windows(off, off, off, off, period_s=300.0)) == [("count_off", 900.0)]


def test_blind_dark_and_visited_windows_say_nothing_of_the_count() -> None:
    assert told(Counts(), counted(*[19] * 5, None, *[19] * 5, None)) == []
    for change in (
        {"view": View.DARK},
        {"view": View.FROZEN},
        {"covered_s": 4.0},
        {"counts": {"pig": 19, "person": 1}},
    ):
        assert told(Counts(), counted(*[19] * 30, **change)) == []
    assert told(Counts(people_count=True), counted(*[19] * 7, counts={"person": 19})) == [("count_off", 60.0)]


def test_after_a_blind_time_the_minute_begins_anew() -> None:
    assert told(Counts(), counted(*[19] * 3, None, *[19] * 6)) == [("count_off", 100.0)]


def test_a_count_on_the_brink_is_off_every_ten_minutes_at_most() -> None:
    minutes = [19] * 6 + [20] * 6
    events = told(Counts(), counted(*minutes * 30))
    off = [time for kind, time in events if kind == "count_off"]
    assert len(off) >= 3
    assert min(np.diff(off)) >= 600
    assert [kind for kind, _ in events] == ["count_off", "count_ok"] * (len(events) // 2)


def test_another_known_count_begins_anew_and_none_says_nothing() -> None:
    fold = Counts()
    assert told(fold, counted(*[19] * 6)) == [("count_off", 60.0)]
    assert told(fold, windows(*[{"count": 19, "known_count": 19}] * 10)) == []
    assert told(Counts(), windows(*[{"count": 19, "known_count": 0}] * 10)) == []


def test_a_view_counts_once_it_has_held_for_two_windows() -> None:
    views = [View.OK, View.DARK, View.OK, View.DARK, View.DARK, View.DARK, View.OK, View.OK]
    events = [event for event in map(ViewChanges().add, windows(*({"view": view} for view in views))) if event]
    assert [(event.time, event.severity) for event in events] == [(50.0, Severity.WARNING), (80.0, Severity.INFO)]
    assert "dark" in events[0].message
    assert told(ViewChanges(), windows(*[{"view": View.DARK, "covered_s": 0.0}] * 5)) == []
    assert told(ViewChanges(), windows(*[{"view": View.DARK}] * 5, period_s=1.0)) == []


def test_an_animal_that_lies_for_hours_is_told_once_for_its_rest() -> None:
    motion, fold, events = Motion(), Stillness(LABELS), []
    lying, walking = [100.0, 100, 200, 160], [400.0, 100, 500, 160]
    for step in range(round(1.5 * STILL_S / 8)):
        time, moved = step * 8.0, [x + 200 * (step // 8 % 2) for x in walking]
        motion.add(time, tracks([lying, moved]), np.array([100.0, 100.0]), (360, 640), 8.0)
        summary = replace(PLAIN, start_time=time - 8, end_time=time, view=View.DARK if step < 1850 else View.OK)
        events += [event for event in [fold.add(summary, motion.resting(time))] if event]
    (event,) = events
    assert (event.event_type, event.track, event.label) == (EventType.ANIMAL_STILL, 1, "pig")
    assert event.time == 1850 * 8
    assert event.duration_s is not None
    assert STILL_S <= event.duration_s <= event.time
    assert event.message == "a pig has not moved for 4.1 hours; look after it"


def test_people_may_sit_for_hours() -> None:
    motion, fold = Motion(), Stillness(LABELS)
    for step in range(2000):
        motion.add(step * 8.0, people(1), np.array([8.0]), (360, 640), 8.0)
    assert fold.add(replace(PLAIN, end_time=16_000.0), motion.resting(16_000.0)) is None


def people(*classes: int) -> Tracks:
    made = tracks([[10.0 * i, 0, 10.0 * i + 8, 8] for i in range(len(classes))])
    return replace(made, classes=np.array(classes, np.int32))


def seen(alerts: Alerts, moments: Sequence[tuple[float, Tracks]]) -> list[Event]:
    return [event for time, what in moments for event in alerts.add(time, what, 0.1)]


def test_a_person_is_told_once_a_visit() -> None:
    visit = [(t / 10, people(0, 1)) for t in range(100)]
    alone = [(10 + t / 10, people(0)) for t in range(700)]
    again = [(80 + t / 10, people(0, 1, 1)) for t in range(100)]
    first, second = seen(Alerts(LABELS), [*visit, *alone, *again])
    assert (first.time, first.track, first.count, first.label) == (1.0, 2, 1, "person")
    assert first.score is not None
    assert (second.time, second.count, second.message) == (81.0, 2, "2 people are among the animals")
    soon = [(40 + t / 10, people(1)) for t in range(100)]
    assert len(seen(Alerts(LABELS), [*visit, *soon])) == 1


def test_a_glimpse_is_nobody() -> None:
    glimpses = [(t / 10, people(*([1] if t % 20 < 8 else [0]))) for t in range(400)]
    assert seen(Alerts(LABELS), glimpses) == []


def test_where_only_people_are_looked_for_they_are_the_herd() -> None:
    visit = [(t / 10, people(1)) for t in range(100)]
    assert seen(Alerts(LABELS, ["person"]), visit) == []
    assert seen(Alerts(("person",)), [(t, people(0)) for t, _ in visit]) == []
    assert len(seen(Alerts(LABELS, ["person", "pig"]), visit)) == 1
    assert seen(Alerts(("pig",)), [(t, people(0)) for t, _ in visit]) == []


def test_a_loss_is_told_once_and_a_short_one_not_at_all() -> None:
    camera = CameraWatch()
    camera.lost(100.0, "nobody answers")
    assert camera.look(104.0) is None
    assert camera.back(104.5) is None
    camera.lost(200.0, "nobody answers")
    lost = camera.look(206.0)
    assert lost is not None
    assert (lost.event_type, lost.message) == (EventType.CAMERA_LOST, "no pictures any more: nobody answers")
    for time in range(207, 300):
        camera.lost(time, "nobody answers")
        assert camera.look(time) is None
    back = camera.back(300.0)
    assert back is not None
    assert (back.event_type, back.duration_s) == (EventType.CAMERA_BACK, 100.0)
    assert camera.back(301.0) is None


def test_the_end_of_a_job_in_words() -> None:
    job = Job("j-1", "main", JobState.DONE, "a.mp4", "/out", frames=1, start_time=10.0, end_time=12.5)
    done = job_over(job, 12.5)
    assert (done.event_type, done.message, done.duration_s) == (
        EventType.JOB_ENDED,
        "the job is done after 1 frame",
        2.5,
    )
    assert "cancelled" in job_over(replace(job, state=JobState.CANCELLED), 1.0).message
    failed = replace(job, state=JobState.FAILED, error=Problem("UNAVAILABLE", "X", "no such file", "Compute", 1.0))
    assert job_over(failed, 1.0).message == "the job has failed: no such file"
    assert job_over(failed, 1.0).severity is Severity.WARNING
    assert job_over(failed, 1.0, goes_on=True).severity is Severity.INFO
    assert model_changed("b@1", "a@2", 1.0).message == "b@1 looks at the pictures now; in the last job it was a@2"
