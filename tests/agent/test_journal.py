import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.errors import InvalidArgument
from agent.core.types import (
    Event,
    EventType,
    Job,
    JobState,
    Problem,
    Record,
    ResultFile,
    Severity,
    Summary,
    Totals,
    TrackSummary,
    View,
)
from agent.journal import Journal
from agent.trimming import CONSUMER_KEPT_S, LEFT_WHEN_LOW, Bounds


def make_summary(**changes: object) -> Summary:
    plain = Summary(
        start_time=1.0,
        end_time=11.0,
        period_s=10.0,
        covered_s=10.0,
        frames=100,
        frames_dropped=0,
        view=View.OK,
        count=2,
        count_mean=2.0,
        count_error=0.1,
        known_count=0,
        count_off=False,
        counts={"pig": 2},
        score_mean=0.9,
        activity=None,
        moving_ratio=0.5,
        distance_bl=3.0,
        spacing_bl=1.0,
        longest_still_s=4.0,
        id_switches=0,
        total_animal_s=20.0,
        total_distance_bl=3.0,
        tracks=(TrackSummary(1, "pig", 2.0, 0.5, (0.1, 0.2, 0.3, 0.4)),),
        tracks_omitted=0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def append(journal: Journal, stream: str = "main", **changes: object) -> Record:
    return journal.append(
        stream,
        "summary",
        lambda sequence: Record("n1", stream, journal.id, sequence, "j", "m@0", True, make_summary(**changes)),
    )


def append_event(journal: Journal, stream: str = "main", **changes: object) -> Record:
    event = Event(5.0, EventType.COUNT_OFF, Severity.WARNING, "19 animals, not 20", count=19, known_count=20)
    event = replace(event, **changes)  # type: ignore[arg-type]
    return journal.append(
        stream, "event", lambda sequence: Record("n1", stream, journal.id, sequence, "j", "m@0", True, event)
    )


def make_job(job_id: str) -> Job:
    return Job(job_id=job_id, stream="main", state=JobState.QUEUED, input="a.mp4", output="/out")


def test_records_are_numbered_without_gaps_per_stream_and_come_back_equal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    written = [append(journal), append(journal), append(journal, "other")]
    assert [record.sequence for record in written] == [1, 2, 1]
    journal.close()
    again = Journal(tmp_path / "j.sqlite")
    page = again.records("main", "summary", 0, 10)
    assert list(page.records) == written[:2]
    assert (page.oldest, page.newest) == (1, 2)
    assert append(again).sequence == 3
    again.close()


def test_events_are_numbered_by_themselves_and_come_back_equal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    append(journal)
    written = [append_event(journal), append_event(journal, count=None, track=7, duration_s=1.5)]
    append(journal, total_animal_s=9.0)
    assert [record.sequence for record in written] == [1, 2]
    assert list(journal.records("main", "event", 0, 10).records) == written
    assert journal.newest("main", "summary") == 2
    assert journal.totals("main").animal_s == 9.0
    journal.close()


def test_a_new_file_has_another_journal_id(tmp_path: Path) -> None:
    one, two = Journal(tmp_path / "1"), Journal(tmp_path / "2")
    assert one.id != two.id
    assert len(one.id) == 8
    assert int(one.id, 16) >= 0
    one.close()
    two.close()


def test_old_records_are_trimmed_and_the_page_says_from_where_they_are_kept() -> None:
    journal = Journal(None, Bounds(records=600))
    with journal.transaction():
        for _ in range(1000):
            append(journal)
    page = journal.records("main", "summary", 0, 5)
    assert page.oldest == 401
    assert [record.sequence for record in page.records] == [401, 402, 403, 404, 405]
    assert page.newest == 1000


def test_totals_are_those_of_the_newest_summary() -> None:
    journal = Journal(None)
    assert journal.totals("main") == Totals()
    append(journal, total_animal_s=5.0)
    append(journal, total_animal_s=7.0, total_distance_bl=9.0)
    assert journal.totals("main") == Totals(7.0, 9.0)


def test_jobs_come_back_equal_and_newest_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    first, second = journal.add_job(make_job), journal.add_job(make_job)
    ended = replace(
        first,
        state=JobState.FAILED,
        error=Problem("UNAVAILABLE", "X", "y", "Compute", 1.5),
        results=(ResultFile("a", 1, "00"),),
        end_time=3.0,
    )
    journal.put_job(ended)
    assert journal.jobs() == [second, ended]
    assert journal.jobs("other") == []
    assert journal.job(first.job_id) == ended
    assert journal.open_jobs() == [second]
    journal.close()


@pytest.mark.parametrize("job_id", ["", "7", "x-1", "00000000-1", "{}-", "{}--1", "{}-1e3", "{}-99999999999999999999"])
def test_no_job_of_another_name(job_id: str) -> None:
    journal = Journal(None)
    journal.add_job(make_job)
    assert journal.job(job_id.format(journal.id)) is None


def test_a_transaction_that_fails_leaves_nothing_and_does_nothing_in_the_world() -> None:
    journal = Journal(None)
    done: list[str] = []
    with pytest.raises(ZeroDivisionError), journal.transaction():
        journal.put_stream("main", {"input": "a"})
        journal.after_commit(lambda: done.append("effect"))
        raise ZeroDivisionError
    assert journal.streams() == {}
    with journal.transaction():
        journal.put_stream("main", {"input": "b"})
        journal.after_commit(lambda: done.append("second"))
        assert done == []
    assert done == ["second"]
    assert journal.streams() == {"main": {"input": "b"}}


def test_a_consumers_place_only_moves_forward_and_not_beyond_the_end() -> None:
    journal = Journal(None)
    for _ in range(5):
        append(journal)
    assert journal.place("c", "main", "summary") == 0
    assert journal.acknowledge("c", "main", "summary", 3) == 3
    assert journal.acknowledge("c", "main", "summary", 2) == 3
    with pytest.raises(InvalidArgument, match="not written yet"):
        journal.acknowledge("c", "main", "summary", 6)
    assert journal.place("c", "main", "summary") == 3
    assert journal.place("d", "main", "summary") == 0


def test_what_was_acknowledged_of_late_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    journal, log = Journal(None, Bounds(records=400)), ("c", "main", "summary")
    assert journal.place_before(*log, 60) == 0
    now = 1e9
    for number in range(1, 201):  # one a second
        append(journal)
        monkeypatch.setattr(time, "time", lambda number=number: now + number)
        journal.acknowledge(*log, number)
    # The sixty seconds before the last acknowledgement, and at most ten more; however late it is asked.
    monkeypatch.setattr(time, "time", lambda: now + 5000)
    assert 130 <= journal.place_before(*log, 60) <= 140
    assert 180 <= journal.place_before(*log, 10) <= 190
    assert journal.place(*log) == 200
    # A clock that is set back forgets the steps that lie ahead.
    monkeypatch.setattr(time, "time", lambda: now + 100)
    append(journal)
    journal.acknowledge(*log, 201)
    assert 30 <= journal.place_before(*log, 60) <= 200
    monkeypatch.undo()
    # What is no longer kept cannot come again.
    journal.bounds = Bounds(records=1)
    journal.trim(now=None, low=False)
    assert journal.place_before(*log, 60) == 200


def test_commands_are_remembered_by_their_whole_key() -> None:
    journal = Journal(None)
    journal.remember("me", "SetInput", "1", digest=b"h", answer=b"a")
    assert journal.answer("me", "SetInput", "1") == (b"h", b"a")
    assert journal.answer("you", "SetInput", "1") is None
    assert journal.answer("me", "SetOutput", "1") is None


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    path.write_bytes(b"this is no database, but long enough to be looked at" * 100)
    journal = Journal(path)
    assert journal.set_aside is not None
    assert journal.set_aside.exists()
    assert append(journal).sequence == 1
    journal.close()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InvalidArgument, match="newer herdlink"):
        Journal(path)


def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from agent.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); number = 0\n"
        "while True:\n"
        "    number += 1; journal.put_stream(f's{number}', {'n': number}); print(number, flush=True)\n"
    )
    path = tmp_path / "j.sqlite"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(200)]
        os.kill(child.pid, signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().split("\n")[:-1]]
    journal = Journal(path)
    streams = journal.streams()
    assert {f"s{number}" for number in told} <= set(streams)
    assert json.dumps(streams["s1"]) == '{"n": 1}'
    journal.close()


def test_track_ids_are_reserved() -> None:
    journal = Journal(None)
    assert journal.next_track("main") == 1
    journal.set_next_track("main", 1001)
    assert journal.next_track("main") == 1001
    assert journal.next_track("other") == 1


DAY_S = 86_400.0


def fill(journal: Journal, count: int, stream: str = "main") -> None:
    with journal.transaction():
        for _ in range(count):
            append(journal, stream)


def kept(journal: Journal, stream: str = "main") -> tuple[int, int]:
    """The oldest and the newest sequence."""
    page = journal.records(stream, "summary", 0, 1)
    return page.oldest, page.newest


def test_what_is_too_old_goes_but_for_the_newest_of_each_log() -> None:
    journal = Journal(None, Bounds(age_s=DAY_S))
    fill(journal, 10)
    fill(journal, 3, "deleted")
    append(journal, total_animal_s=7.0)
    assert journal.trim(now=time.time() + 0.5 * DAY_S, low=False) == 0
    assert kept(journal) == (1, 11)
    assert journal.trim(now=time.time() + 2 * DAY_S, low=False) == 0
    assert (kept(journal), kept(journal, "deleted")) == ((11, 11), (3, 3))
    assert journal.totals("main").animal_s == 7.0
    assert append(journal).sequence == 12
    assert journal.rows == 3


def test_a_clock_that_cannot_be_trusted_makes_nothing_old() -> None:
    journal = Journal(None, Bounds(age_s=DAY_S))
    fill(journal, 5)
    assert journal.trim(now=None, low=False) == 0
    journal.append(
        "u", "summary", lambda sequence: Record("n1", "u", journal.id, sequence, "j", "m@0", False, make_summary())
    )
    journal.append(
        "u", "summary", lambda sequence: Record("n1", "u", journal.id, sequence, "j", "m@0", False, make_summary())
    )
    journal.trim(now=time.time() + 100 * DAY_S, low=False)
    assert (kept(journal), kept(journal, "u")) == ((5, 5), (1, 2))


def test_what_goes_before_it_was_read_is_counted_and_told_once() -> None:
    journal = Journal(None, Bounds(records=100))
    journal.welcome("c", "main", "summary")
    fill(journal, 90)
    journal.acknowledge("c", "main", "summary", 50)
    fill(journal, 90)
    assert journal.trim(now=None, low=False) == 30
    assert (kept(journal), journal.lost) == ((81, 180), 30)
    gaps: list[int] = []
    journal.acknowledge("c", "main", "summary", 90, on_gap=gaps.append)
    journal.acknowledge("c", "main", "summary", 180, on_gap=gaps.append)
    assert gaps == [30]
    fill(journal, 500)
    assert journal.lost == 30 + 220
    assert journal.trim(now=None, low=False) == 180


def test_who_comes_late_or_never_before_loses_nothing_but_what_was_there() -> None:
    journal = Journal(None, Bounds(records=100))
    fill(journal, 500)
    assert kept(journal) == (401, 500)
    assert journal.lost == 0
    gaps: list[int] = []
    journal.welcome("new", "main", "summary")
    journal.welcome("new", "main", "summary")
    assert journal.place("new", "main", "summary") == 400
    journal.acknowledge("new", "main", "summary", 500, on_gap=gaps.append)
    journal.acknowledge("stranger", "main", "summary", 500, on_gap=gaps.append)
    assert gaps == []


def test_the_backlog_is_what_a_reader_has_not_acknowledged() -> None:
    journal = Journal(None)
    journal.welcome("c", "main", "summary")
    journal.welcome("c", "other", "summary")
    fill(journal, 10)
    fill(journal, 5, "other")
    fill(journal, 5, "unread")
    append_event(journal)
    journal.acknowledge("c", "main", "summary", 8)
    assert journal.backlog("c") == {"main": 2, "other": 5}
    assert journal.backlog("d") == {}


def test_a_consumer_that_never_comes_back_is_forgotten() -> None:
    journal = Journal(None, Bounds(records=100))
    fill(journal, 50)
    journal.acknowledge("gone", "main", "summary", 10)
    journal.trim(now=time.time() + CONSUMER_KEPT_S - DAY_S, low=False)
    assert journal.place("gone", "main", "summary") == 10
    journal.trim(now=time.time() + CONSUMER_KEPT_S + DAY_S, low=False)
    assert journal.place("gone", "main", "summary") == 0


def test_a_disk_that_is_low_takes_a_tenth_at_a_time_and_leaves_the_newest() -> None:
    journal = Journal(None)
    fill(journal, LEFT_WHEN_LOW + 100)
    fill(journal, 50, "small")
    journal.trim(now=None, low=True)
    assert kept(journal)[0] == 11
    for _ in range(100):
        journal.trim(now=None, low=True)
    assert (kept(journal)[0], kept(journal, "small")[0]) == (101, 1)


def test_what_is_trimmed_goes_back_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = Journal(path, Bounds(records=100))
    fill(journal, 3000)
    fill(journal, 200)
    journal.trim(now=None, low=False)
    assert path.stat().st_size < 1_000_000
    assert (tmp_path / "j.sqlite-wal").stat().st_size == 0
    journal.close()


def test_old_jobs_go_and_their_ids_are_not_used_again() -> None:
    journal = Journal(None, Bounds(jobs=3))
    made = [journal.add_job(make_job) for _ in range(6)]
    for job in made[1:]:
        journal.put_job(replace(job, state=JobState.DONE))
    journal.trim(now=None, low=False)
    assert [job.job_id for job in journal.jobs()] == [made[i].job_id for i in (5, 4, 3, 0)]
    assert journal.add_job(make_job).job_id == f"{journal.id}-7"


def test_a_file_of_the_first_version_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = Journal(path)
    written = append(journal)
    journal.acknowledge("c", "main", "summary", 1)
    journal.close()
    with sqlite3.connect(path) as db:
        db.executescript(
            "ALTER TABLE records DROP COLUMN time; ALTER TABLE consumers DROP COLUMN time; "
            "ALTER TABLE consumers DROP COLUMN steps; PRAGMA user_version = 1;"
        )
    db.close()
    again = Journal(path)
    assert list(again.records("main", "summary", 0, 5).records) == [written]
    assert append(again).sequence == 2
    again.trim(now=time.time() + DAY_S, low=False)
    assert (kept(again), again.place("c", "main", "summary")) == ((1, 2), 1)
    again.close()
