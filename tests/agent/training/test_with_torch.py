"""The training itself, in little. It needs PyTorch, which herdlink does not: .venv-training has it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="NOT CHECKED: the training; it needs PyTorch (.venv-training has it)")

from agent.models.darknet import import_darknet  # noqa: E402
from agent.training import labels, network, samples, train  # noqa: E402
from agent.training.export import export, sure_of  # noqa: E402
from agent.training.loss import assign, ciou, iou, places  # noqa: E402

CFG = Path(network.__file__).parent / "pig.cfg"


def test_weights_come_back_through_both_files(tmp_path: Path) -> None:
    one = network.Network(CFG)
    network.save(one, tmp_path / "a.weights")
    words = {"name": "a", "labels": ("pig",), "source": "", "licence": ""}
    export(CFG, tmp_path / "a.weights", tmp_path, **words)
    path, _ = export(CFG, tmp_path / "a.weights", tmp_path, **words, sure=0.4567)  # in place of the first
    assert sure_of(path) == 0.4567
    two, three = network.Network(CFG), network.Network(CFG)
    network.load(two, tmp_path / "a.weights")
    network.load_finished(three, path)
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        outputs = [net.eval()(image) for net in (one, two, three)]
    for first, second, third in zip(*outputs, strict=True):
        assert torch.equal(first, second)
        assert torch.allclose(first, third, atol=0.02)


def test_scores_are_moved_and_nothing_else() -> None:
    net = network.Network(CFG).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = places(net(image), net.heads)
        network.make_modest(net, 0.5, 0.3)
        after = places(net(image), net.heads)
    odds = torch.logit(torch.tensor(0.3))
    assert torch.allclose(after.scores, before.scores + odds, atol=1e-4)
    assert torch.equal(after.boxes, before.boxes)


def test_the_importer_sees_the_same_network(tmp_path: Path) -> None:
    import onnxruntime

    net = network.Network(CFG).eval()
    network.save(net, tmp_path / "a.weights")
    import_darknet(CFG, tmp_path / "a.weights", tmp_path / "a.onnx", name="a", size=(96, 64))
    image = torch.rand(1, 3, 64, 96)
    session = onnxruntime.InferenceSession(str(tmp_path / "a.onnx"))
    found = session.run(None, {session.get_inputs()[0].name: image.numpy()})
    with torch.no_grad():
        for own, other in zip(net(image), found, strict=True):
            assert own.numpy() == pytest.approx(other, abs=1e-3)


def test_each_animal_is_given_to_places_that_see_it() -> None:
    net = network.Network(CFG).eval()
    with torch.no_grad():
        found = places(net(torch.rand(1, 3, 128, 128)), net.heads)
    truth = torch.tensor([[20.0, 20, 60, 60], [70, 70, 120, 110]])
    place, animal, overlap, _ = assign(found, 0, truth)
    assert set(animal.tolist()) == {0, 1} and len(set(place.tolist())) == len(place)
    assert torch.allclose(overlap, iou(found.boxes[0], truth)[place, animal])
    assert torch.allclose(ciou(truth, truth), torch.ones(2))


def test_training_finds_a_block_and_goes_on_where_it_was(tmp_path: Path) -> None:
    image = np.full((96, 96, 3), 60, np.uint8)
    image[30:70, 20:80] = 220
    cv2.imwrite(str(tmp_path / "a.png"), image)
    labels.write(tmp_path / "a.png", np.array([[20, 30, 80, 70]], np.float32), np.zeros(1, np.int32), 96, 96)
    torch.manual_seed(0)
    network.save(network.Network(CFG), tmp_path / "start.weights")
    stock = samples.Stock([tmp_path / "a.png"], quilt_share=0)
    plan = train.Plan(steps=2, frozen=0, smallest=96, largest=96, warm_up=1)
    done = train.train(CFG, tmp_path / "start.weights", stock, plan, tmp_path, processes=1)
    assert done.stat().st_size == (tmp_path / "start.weights").stat().st_size
    lines = (tmp_path / "curves-0.jsonl").read_text().count("\n")
    train.train(CFG, tmp_path / "start.weights", stock, plan, tmp_path, processes=1)
    assert (tmp_path / "curves-0.jsonl").read_text().count("\n") == lines == 2
    other = dataclasses.replace(plan, steps=3)
    train.train(CFG, tmp_path / "start.weights", stock, other, tmp_path, processes=1)
    assert (tmp_path / "curves-0.jsonl").read_text().count("\n") == lines + 3
