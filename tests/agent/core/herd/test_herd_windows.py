from __future__ import annotations

import math
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from herd_scene import film, fold, followed, herd, result, summaries, tracks
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.types import Summary, Totals

BOX = [100.0, 100.0, 160.0, 130.0]


def spans(windows: list[Summary]) -> list[tuple[float, float]]:
    return [(round(one.start_time, 6), round(one.end_time, 6)) for one in windows]


def test_a_file_is_cut_at_multiples_of_the_period_and_its_last_frame_lasts_as_long_as_the_others() -> None:
    got = fold(result(i / 10, tracks([BOX])) for i in range(120))
    assert spans(got) == [(0, 10), (10, 12)]
    assert [one.frames for one in got] == [100, 20]
    assert [one.covered_s for one in got] == pytest.approx([10, 2])
    assert [one.total_animal_s for one in got] == pytest.approx([10, 12])


def test_a_file_as_long_as_its_windows_leaves_no_empty_one() -> None:
    assert spans(fold(result(i / 30, tracks([BOX])) for i in range(300))) == [(0, 10)]


def test_a_camera_is_cut_from_its_first_picture_on() -> None:
    one = herd(live=True)
    got = [told for i in range(250) for told in one.add(result(5000.5 + i / 10, tracks([BOX])))]
    assert spans(summaries([*got, *one.finish()])) == [(5000.5, 5010.5), (5010.5, 5020.5), (5020.5, 5025.5)]


def test_counts_are_medians_over_the_frames_by_label() -> None:
    pigs, person = tracks([BOX, BOX, BOX]), tracks([BOX, BOX])
    person.classes[1] = 1
    (one,) = fold([result(0.0, pigs), result(0.1, pigs), result(0.2, person), result(0.3)], known_count=3)
    assert one.count == 3
    assert one.count_mean == 2.0
    assert one.count_error == pytest.approx(math.sqrt(1.5))
    assert one.counts == {"pig": 3, "person": 0}
    assert one.score_mean == pytest.approx(0.9)
    assert not one.count_off


def test_a_known_count_takes_effect_with_the_open_window() -> None:
    one = herd(known_count=1)
    first = [s for i in range(101) for s in one.add(result(i / 10, tracks([BOX])))]
    one.set_known_count(2)
    (last,) = one.finish()
    assert [(s.known_count, s.count_off) for s in [*first, last]] == [(1, False), (2, True)]


def test_what_cannot_be_known_is_none() -> None:
    (blank,) = fold(result(i / 10) for i in range(20))
    assert (blank.activity, blank.moving_ratio, blank.score_mean, blank.spacing_bl) == (None,) * 4
    assert (blank.count, blank.counts, blank.longest_still_s) == (0, {}, 0.0)
    (alone,) = fold(result(i / 10, tracks([BOX])) for i in range(20))
    assert alone.spacing_bl is None
    assert alone.activity == 0.0


def test_a_lost_camera_is_blind_and_not_empty() -> None:
    one = herd(live=True, period_s=1.0, known_count=1)
    got = [s for i in range(20) for s in one.add(result(100 + i / 10, tracks([BOX])))]
    got += [s for i in range(1, 8) for s in one.tick(102 + i / 2)]
    got += one.add(result(105.7, tracks([BOX])))
    got += one.finish()
    assert spans(got) == [(100, 101), (101, 102), (102, 103), (103, 104), (104, 105), (105, 105.8)]
    assert [round(s.covered_s, 3) for s in got] == [1, 1, 0.1, 0, 0, 0.1]
    blind = got[3]
    assert (blind.frames, blind.count, blind.longest_still_s, blind.tracks) == (0, 0, 0.0, ())
    assert blind.activity is None
    assert got[-1].total_animal_s == pytest.approx(2.2)


def test_a_camera_that_never_came_sends_empty_windows() -> None:
    one = herd(live=True, period_s=0.5)
    got = [s for i in range(5) for s in one.tick(70 + i / 2)]
    assert spans(got) == [(70, 70.5), (70.5, 71), (71, 71.5), (71.5, 72)]
    assert all(s.covered_s == 0 for s in got)
    assert herd(live=True).finish() == []
    assert herd().finish() == []


def test_windows_shorter_than_the_pace_tell_the_last_picture() -> None:
    got = fold((result(float(i), tracks([BOX])) for i in range(4)), period_s=0.25)
    # Nothing is made up behind the window in which the last picture came.
    assert len(got) == 13
    assert {one.count for one in got} == {1}
    assert sum(one.frames for one in got) == 4


def test_dropped_frames_are_told_once() -> None:
    one = herd(period_s=1.0)
    got = [s for i in range(25) for s in one.add(result(i / 10, tracks([BOX])), dropped=i // 5)]
    assert sum(s.frames_dropped for s in [*got, *one.finish()]) == 4


def test_tracks_are_the_longest_lived_and_their_boxes_lie_within_the_picture() -> None:
    places = np.linspace(0, 600, 40)
    boxes = np.stack([places - 20, places * 0 - 5, places + 20, places * 0 + 40], 1)
    told = tracks(boxes, range(1, 41))
    told.ages[:] = np.arange(40)
    (one,) = fold(result(i / 10, told) for i in range(5))
    assert [track.track for track in one.tracks] == list(range(40, 8, -1))
    assert one.tracks_omitted == 8
    (first,) = fold([result(0.0, tracks(boxes[:1]))])
    assert first.tracks[0].box == pytest.approx((0, 0, 20 / 640, 40 / 360))
    assert first.tracks[0].label == "pig"


def test_a_leap_in_time_is_one_long_empty_window() -> None:
    one = herd(live=True, period_s=1.0)
    got = summaries([*one.add(result(0.0, tracks([BOX]))), *one.add(result(1e6 + 0.5, tracks([BOX]))), *one.finish()])
    assert spans(got) == [(0, 1), (1, 1e6), (1e6, 1e6 + 1)]
    assert got[1].covered_s <= 2
    assert all(late.start_time == early.end_time for early, late in pairwise(got))


def test_memory_does_not_grow_with_tracks_that_come_and_go() -> None:
    one = herd(period_s=3600.0)
    for i in range(3000):
        x = 7.0 * (i % 80)
        one.add(result(i / 10, tracks([[x, 100, x + 60, 130]], [i + 1], age=0.0)))
    assert len(one._motion._rows) < 150
    stuck = herd()
    for i in range(3000):
        stuck.add(result(0.0, tracks([BOX, [i % 500, 50, 99, 60]], [2 * i + 1, 2 * i + 2], age=0.0)))
    assert len(stuck._motion._rows) <= 2000


times = st.lists(
    st.one_of(
        st.floats(-5, 60),
        st.floats(0, 1e7),
        st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(times=times, live=st.booleans(), period_s=st.sampled_from([0.3, 1.0, 10.0]), ticks=st.booleans())
def test_laws_hold_whatever_the_clock_does(times: list[float], live: bool, period_s: float, ticks: bool) -> None:
    one = herd(live=live, period_s=period_s, totals=Totals(5.0, 7.0), known_count=2)
    got: list[Summary] = []
    for i, time in enumerate(times):
        got += one.tick(time) if ticks and i % 3 == 2 else one.add(result(time, tracks([[i, 9, i + 50, 40], BOX])))
    got = summaries([*got, *one.finish()])
    for early, late in pairwise(got):
        assert late.start_time == early.end_time
        assert late.total_animal_s >= early.total_animal_s >= 5
        assert late.total_distance_bl >= early.total_distance_bl >= 7
    for summary in got:
        assert 0 <= summary.covered_s <= summary.period_s + 1e-6
        assert summary.period_s == summary.end_time - summary.start_time > 0
        assert summary.count_off == (summary.covered_s > 0 and summary.count != 2)
        numbers = {name: value for name, value in asdict(summary).items() if isinstance(value, float)}
        assert all(math.isfinite(value) for value in numbers.values())
        assert all(value >= 0 for name, value in numbers.items() if name not in ("start_time", "end_time"))
    assert sum(summary.frames for summary in got) == sum(not (ticks and i % 3 == 2) for i in range(len(times)))


@settings(deadline=None, max_examples=6)
@given(period_s=st.sampled_from([0.5, 0.7, 1.0, 2.5, 4.0, 7.0, 30.0]), fps=st.sampled_from([3, 10]))
def test_totals_do_not_depend_on_the_period(period_s: float, fps: int) -> None:
    moments = film(10, 20, fps)
    whole = fold(followed(moments, fps, jitter_px=1), period_s=1000.0)[-1]
    parts = fold(followed(moments, fps, jitter_px=1), period_s=period_s)
    assert parts[-1].total_animal_s == pytest.approx(whole.total_animal_s)
    assert parts[-1].total_distance_bl == pytest.approx(whole.total_distance_bl)
    assert sum(part.distance_bl for part in parts) == pytest.approx(whole.distance_bl)
    assert sum(part.frames for part in parts) == whole.frames
    assert sum(part.covered_s for part in parts) == pytest.approx(20)
