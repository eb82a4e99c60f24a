"""SetScene and GetScene on a real agent."""

import json
import time
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from agent_process import AgentProcess, reason_of
from google.protobuf.json_format import MessageToDict, ParseDict

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import record_pb2, track_pb2, types_pb2

HERD = "synthetic:herd?animals=8&fps=10&seconds=30&seed=3&width=320&height=240"
ENDLESS = "synthetic:herd?animals=8&fps=10&seconds=0&seed=1&width=320&height=240"
RUNNING = types_pb2.JOB_STATE_RUNNING
HALF = [{"x": 0, "y": 0}, {"x": 0.5, "y": 0}, {"x": 0.5, "y": 1}, {"x": 0, "y": 1}]
WHOLE = [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 1, "y": 1}, {"x": 0, "y": 1}]
SCENE = {
    "zones": [{"name": "west", "polygon": HALF}, {"name": "pen", "polygon": WHOLE, "tellVisits": True}],
    "lines": [
        {"name": "middle", "start": {"x": 0.5, "y": 0}, "end": {"x": 0.5, "y": 1}, "inside": {"x": 0.1, "y": 0.5}}
    ],
    "ground": {"points": WHOLE, "widthM": 4.0, "lengthM": 3.0},
}


def request(**values: object) -> pb.SetSceneRequest:
    return ParseDict(values, pb.SetSceneRequest())


def summaries(agent: AgentProcess, after: int = 0) -> list[record_pb2.Summary]:
    page = agent.record.ListRecords(record_pb2.ListRecordsRequest(after_sequence=after, limit=1000))
    return [record.summary for record in page.records]


def await_summary(agent: AgentProcess, zones: set[str]) -> record_pb2.Summary:
    """The first one of these zones from now on."""
    deadline = time.monotonic() + 30
    after = agent.record.ListRecords(record_pb2.ListRecordsRequest(limit=1)).newest
    while time.monotonic() < deadline:
        for summary in summaries(agent, after):
            if set(summary.zones) == zones:
                return summary
        time.sleep(0.1)
    raise AssertionError(f"no summary of the zones {zones}")


def test_what_is_set_is_told_and_outlives_a_kill(agent: AgentProcess) -> None:
    empty = agent.edge.GetScene(pb.GetSceneRequest())
    assert (empty.stream, len(empty.zones), empty.HasField("ground")) == ("main", 0, False)
    answer = agent.edge.SetScene(request(**SCENE))
    told = MessageToDict(answer)
    assert told == MessageToDict(request(stream="main", **SCENE))
    assert [zone["name"] for zone in told["zones"]] == ["west", "pen"]
    agent.kill()
    agent.start()
    kept = agent.edge.GetScene(pb.GetSceneRequest())
    assert MessageToDict(kept) == told
    stream = agent.edge.GetStream(pb.GetStreamRequest()).stream
    assert stream.origin["scene"] == types_pb2.ORIGIN_COMMAND
    assert stream.origin["input"] == types_pb2.ORIGIN_SETTINGS
    # What GetScene tells can be sent as it is.
    again = agent.edge.SetScene(pb.SetSceneRequest.FromString(kept.SerializeToString()))
    assert MessageToDict(again) == told
    cleared = agent.edge.SetScene(pb.SetSceneRequest())
    assert MessageToDict(cleared) == {"stream": "main"}
    assert MessageToDict(agent.edge.GetScene(pb.GetSceneRequest())) == {"stream": "main"}


def test_a_request_id_is_honoured(agent: AgentProcess) -> None:
    first = agent.edge.SetScene(request(area=HALF, request_id="a"))
    agent.edge.SetScene(request(area=WHOLE))
    assert agent.edge.SetScene(request(area=HALF, request_id="a")) == first
    assert len(agent.edge.GetScene(pb.GetSceneRequest()).area) == 4
    assert agent.edge.GetScene(pb.GetSceneRequest()).area[1].x == 1, "nothing was done again"
    with pytest.raises(grpc.RpcError) as caught:
        agent.edge.SetScene(request(area=WHOLE, request_id="a"))
    assert reason_of(caught.value)[1] == "REQUEST_ID_REUSED"


def test_a_file_gives_numbers_of_places_that_go_on_from_job_to_job(agent: AgentProcess) -> None:
    agent.edge.SetScene(request(**SCENE))
    job = agent.compute(HERD)
    first = summaries(agent)[-1]
    assert first.zones["pen"].total_animal_s == pytest.approx(first.total_animal_s, rel=0.05)
    assert 0 < first.zones["west"].total_animal_s < first.zones["pen"].total_animal_s
    assert first.distance_m > 0
    assert 0.02 < first.distance_error_ratio < 0.2
    assert {track.zone for track in first.tracks} == {"west", "pen"}
    lines = (Path(job.output) / "summaries.jsonl").read_text().splitlines()
    told = json.loads(lines[-1])
    assert set(told["zones"]["west"]) == {"count", "animalS", "visits", "totalAnimalS", "totalVisits"}
    agent.kill()
    agent.start()
    agent.compute(HERD)
    second = summaries(agent)[-1]
    for name in ("west", "pen"):
        assert second.zones[name].total_animal_s == pytest.approx(2 * first.zones[name].total_animal_s)
    assert second.total_distance_m == pytest.approx(2 * first.total_distance_m, rel=1e-6)
    crossed = (first.lines["middle"], second.lines["middle"])
    assert crossed[1].total_entered == 2 * crossed[0].total_entered
    assert crossed[1].total_left == 2 * crossed[0].total_left


def test_a_zone_that_was_away_goes_on_where_it_stood(agent: AgentProcess) -> None:
    agent.edge.SetScene(request(**SCENE))
    agent.compute(HERD)
    before = summaries(agent)[-1]
    agent.edge.SetScene(pb.SetSceneRequest())
    agent.compute(HERD)
    without = summaries(agent)[-1]
    assert not without.zones
    assert not without.lines
    assert not without.HasField("distance_m")
    assert not without.HasField("total_distance_m")
    agent.edge.SetScene(request(**SCENE))
    agent.compute(HERD)
    after = summaries(agent)[-1]
    assert after.zones["west"].total_animal_s == pytest.approx(2 * before.zones["west"].total_animal_s)
    assert after.total_distance_m == pytest.approx(2 * before.total_distance_m, rel=1e-6)


def test_a_running_job_takes_a_scene_with_the_next_frame(agent: AgentProcess) -> None:
    agent.edge.SetStream(pb.SetStreamRequest(input=ENDLESS, summary_period_s=0.5))
    job = agent.edge.Compute(pb.ComputeRequest()).job
    agent.await_state(job.job_id, RUNNING)
    agent.edge.SetScene(request(**SCENE))
    summary = await_summary(agent, {"west", "pen"})
    assert 0 < summary.zones["pen"].count <= 8
    agent.edge.SetScene(request(area=HALF, **SCENE))
    deadline = time.monotonic() + 20
    while (newest := await_summary(agent, {"west", "pen"})).count >= 8 or newest.count != newest.zones["pen"].count:
        assert time.monotonic() < deadline, "the other half is still counted"
    assert newest.zones["west"].count == newest.count
    agent.edge.CancelJob(pb.CancelJobRequest())


def test_the_picture_is_drawn_on(agent: AgentProcess) -> None:
    agent.edge.SetScene(request(**SCENE))
    agent.edge.SetInput(pb.SetInputRequest(uri=HERD))

    def picture(annotated: bool) -> np.ndarray:
        answer = agent.track.GetSnapshot(track_pb2.GetSnapshotRequest(fresh=True, annotated=annotated))
        return cv2.imdecode(np.frombuffer(answer.jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)

    column = np.abs(picture(True) - picture(False)).max(2)[:, 155:165].max(1)
    assert (column > 40).mean() > 0.5, "the line in the middle"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"area": HALF[:2]}, "the area is a polygon of 3 to 64 points; it has 2"),
        ({"area": [HALF[0], HALF[2], HALF[1], HALF[3]]}, "the area crosses itself"),
        ({"area": [*HALF, {"x": 1.2, "y": 0}]}, "the point (1.2, 0) lies outside of the picture"),
        ({"area": [*HALF, {"x": "NaN", "y": 0}]}, "lies outside of the picture"),
        ({"area": [*HALF, HALF[0]]}, "two neighbouring points are the same"),
        ({"area": [HALF[0], {"x": 0.2, "y": 0}, HALF[1]]}, "the area"),
        ({"area": HALF * 20}, "3 to 64 points; it has 80"),
        ({"zones": [{"name": "a b", "polygon": HALF}]}, "1 to 32 letters, digits, - and _; 'a b' has not"),
        ({"zones": [{"name": "", "polygon": HALF}]}, "1 to 32 letters"),
        ({"zones": [{"name": "a", "polygon": HALF}] * 2}, "the name a is there twice"),
        ({"zones": [{"name": "middle", "polygon": HALF}], "lines": SCENE["lines"]}, "the name middle is there twice"),
        ({"zones": [{"name": f"z{i}", "polygon": HALF} for i in range(33)]}, "at most 32 zones; this one has 33"),
        ({"lines": [{"name": "l", "start": HALF[0], "end": HALF[0], "inside": HALF[2]}]}, "the same point"),
        ({"lines": [{"name": "l", "start": HALF[0], "end": HALF[1], "inside": HALF[1]}]}, "`inside` lies on the line"),
        ({"lines": [{"name": "l"}]}, "line l: start and end are the same point"),
        ({"ground": {"points": WHOLE}}, "either width_m and length_m"),
        ({"ground": {"widthM": 2, "lengthM": 2}}, "the ground needs four points"),
        ({"ground": {"points": WHOLE, "widthM": 2}}, "wide enough"),
        ({"ground": {"points": WHOLE, "widthM": -2, "lengthM": 3}}, "greater than 0"),
        ({"ground": {"points": WHOLE, "widthM": 2, "lengthM": 1e6}}, "at most 1000"),
        ({"ground": {"points": WHOLE, "widthM": 2, "lengthM": "NaN"}}, "at most 1000"),
        ({"ground": {"points": WHOLE, "metres": WHOLE[:3]}}, "metres of each of its four points; it has 3"),
        ({"ground": {"points": [WHOLE[0], WHOLE[2], WHOLE[1], WHOLE[3]], "widthM": 2, "lengthM": 2}}, "must go around"),
        ({"stream": "nosuch", "area": HALF}, "no stream nosuch"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(shared_agent: AgentProcess, values: dict[str, object], says: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        shared_agent.edge.SetScene(request(**values))
    code, reason, message = reason_of(caught.value)
    assert (code, reason) in {("INVALID_ARGUMENT", "BAD_SCENE"), ("NOT_FOUND", "NO_STREAM")}
    assert says in message
    assert not shared_agent.edge.GetScene(pb.GetSceneRequest()).area


def test_a_scene_of_the_settings_holds_until_a_command_sets_another(tmp_path: Path) -> None:
    more = "[streams.pen.scene]\nzones = [{ name = 'spot', polygon = [[0, 0], [0.5, 0], [0.5, 0.5]] }]\n"
    agent = AgentProcess(tmp_path, more=more).start()
    try:
        asked = pb.GetSceneRequest(stream="pen")
        assert [zone.name for zone in agent.edge.GetScene(asked).zones] == ["spot"]
        origin = agent.edge.GetStream(pb.GetStreamRequest(stream="pen")).stream.origin
        assert origin["scene"] == types_pb2.ORIGIN_SETTINGS
        agent.edge.SetScene(pb.SetSceneRequest(stream="pen"))
        assert not agent.edge.GetScene(asked).zones
    finally:
        agent.stop()


def test_run_json_tells_the_scene_of_its_run(agent: AgentProcess) -> None:
    bare = json.loads((Path(agent.compute(HERD).output) / "run.json").read_text())
    assert "scene" not in bare["settings"]
    agent.edge.SetScene(request(**SCENE))
    drawn = json.loads((Path(agent.compute(HERD).output) / "run.json").read_text())
    assert [zone["name"] for zone in drawn["settings"]["scene"]["zones"]] == ["west", "pen"]


def test_what_happens_at_lines_and_zones_is_told_as_events(agent: AgentProcess) -> None:
    agent.edge.SetScene(request(**SCENE))
    agent.compute(HERD.replace("seconds=30", "seconds=120"))
    page = agent.record.ListRecords(record_pb2.ListRecordsRequest(kind=record_pb2.RECORD_KIND_EVENT, limit=1000))
    crossed = [record.event for record in page.records if record.event.event_type == "line_crossed"]
    line = summaries(agent)[-1].lines["middle"]
    assert line.total_entered + line.total_left > 0
    assert [event.direction for event in crossed].count("entered") == line.total_entered
    assert [event.direction for event in crossed].count("left") == line.total_left
    assert {(event.place, event.label, event.severity) for event in crossed} == {("middle", "pig", "info")}
    assert all(event.HasField("track") for event in crossed)
