"""Live tracks and pictures over a real channel."""

import cv2
import grpc
import numpy as np
import pytest
from agent_process import AgentProcess, reason_of

from herdlink.v1 import edge_pb2, types_pb2
from herdlink.v1 import track_pb2 as pb

ENDLESS = "synthetic:herd?animals=3&fps=20&seconds=0&seed=1&width=320&height=240"


def decode(jpeg: bytes) -> np.ndarray:  # type: ignore[type-arg]
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_tracks_come_frame_by_frame(agent: AgentProcess) -> None:
    job = agent.compute(ENDLESS, wait=False)
    agent.await_state(job.job_id, types_pb2.JOB_STATE_RUNNING)
    watch = agent.track.WatchTracks(pb.WatchTracksRequest())
    seen = [next(watch) for _ in range(30)]
    watch.cancel()
    assert [each.frame for each in seen] == sorted({each.frame for each in seen})
    assert {(each.stream, each.job_id, each.width, each.height) for each in seen} == {("main", job.job_id, 320, 240)}
    last = seen[-1].tracks
    assert len(last) == 3
    for track in last:
        left, top, width, height = track.box
        assert 0 <= left < left + width <= 1.0001
        assert 0 <= top < top + height <= 1.0001
        assert track.label == "pig"
    assert {t.track for t in last} == {t.track for t in seen[-5].tracks}


def test_everybody_who_watches_is_told_the_same(agent: AgentProcess) -> None:
    job = agent.compute(ENDLESS, wait=False)
    agent.await_state(job.job_id, types_pb2.JOB_STATE_RUNNING)
    watches = [agent.track.WatchTracks(pb.WatchTracksRequest()) for _ in range(3)]
    told: list[dict[int, pb.WatchTracksResponse]] = []
    for watch in watches:
        told.append({})
        for message in watch:
            told[-1][message.frame] = message
            if len(told[-1]) == 40:
                break
        watch.cancel()
    shared = set.intersection(*(set(one) for one in told))
    assert len(shared) > 5
    for frame in shared:
        assert len({one[frame].SerializeToString(deterministic=True) for one in told}) == 1


def test_a_watch_ends_when_its_stream_is_deleted(agent: AgentProcess) -> None:
    for stream in ("idle", "busy", "barn"):
        agent.edge.SetInput(edge_pb2.SetInputRequest(stream=stream, uri=ENDLESS))
    idle, busy, barn = (
        agent.track.WatchTracks(pb.WatchTracksRequest(stream=stream), timeout=60) for stream in ("idle", "busy", "barn")
    )
    for stream in ("busy", "barn"):
        agent.edge.Compute(edge_pb2.ComputeRequest(stream=stream))
    next(busy)
    for stream in ("idle", "busy"):
        agent.edge.DeleteStream(edge_pb2.DeleteStreamRequest(stream=stream))
    for watch in (idle, busy):
        with pytest.raises(grpc.RpcError) as caught:
            list(watch)
        assert reason_of(caught.value)[:2] == ("NOT_FOUND", "NO_STREAM")
    first = next(barn).frame
    assert next(barn).frame > first


def test_snapshots(agent: AgentProcess) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        agent.track.GetSnapshot(pb.GetSnapshotRequest())
    assert reason_of(caught.value)[:2] == ("NOT_FOUND", "NO_PICTURE")
    agent.edge.SetInput(edge_pb2.SetInputRequest(uri=ENDLESS))
    first = agent.track.GetSnapshot(pb.GetSnapshotRequest(fresh=True), timeout=30)
    assert decode(first.jpeg).shape == (240, 320, 3)
    job = agent.edge.Compute(edge_pb2.ComputeRequest()).job
    agent.await_state(job.job_id, types_pb2.JOB_STATE_RUNNING)
    for _ in range(3):
        one = agent.track.GetSnapshot(pb.GetSnapshotRequest(fresh=True, annotated=True), timeout=30)
        two = agent.track.GetSnapshot(pb.GetSnapshotRequest(fresh=True), timeout=30)
        assert two.time.ToNanoseconds() > one.time.ToNanoseconds()
        assert len(one.jpeg) <= 256 * 1024
