"""The rest of Darknet's vocabulary: whole networks of the family in small, and layers that OpenCV does not know."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from darknet_toys import conv, filled, head, imported, opencv_layers, our_layers, random_weights, written

from agent.detectors.onnx import open_detector
from agent.models.darknet import import_darknet
from agent.models.store import Store


def route(*layers: int, groups: int = 1, group: int = 0) -> str:
    return f"[route]\nlayers={','.join(map(str, layers))}\ngroups={groups}\ngroup_id={group}\n"


def pool(size: int, stride: int) -> str:
    return f"[maxpool]\nsize={size}\nstride={stride}\n"


def spp() -> str:
    """Spatial pyramid pooling as yolov3-spp and yolov4 write it."""
    return pool(5, 1) + route(-2) + pool(9, 1) + route(-4) + pool(13, 1) + route(-1, -3, -5, -6)


def residual(activation: str, *, wide: int = 8) -> str:
    return (
        conv(filters=4, size=1, activation=activation)
        + conv(filters=wide, activation=activation)
        + "[shortcut]\nfrom=-3\nactivation=linear\n"
    )


def csp(activation: str) -> str:
    """A cross-stage partial block: half of the way goes around."""
    return (
        conv(filters=8, stride=2, activation=activation)
        + conv(size=1, activation=activation)
        + route(-2)
        + conv(size=1, activation=activation)
        + residual(activation)
        + conv(size=1, activation=activation)
        + route(-1, -7)
        + conv(size=1, activation=activation)
    )


TINY4 = conv() + route(-1, groups=2, group=1) + conv(filters=4) + conv(filters=4) + route(-1, -2) + conv(size=1)
DEPTHWISE = conv(filters=16, size=1) + conv(filters=16, groups=16, size=5) + conv(size=1, activation="linear")
UP = conv(filters=4, size=1) + "[upsample]\nstride=2\n"

NETWORKS = {
    "yolov3-tiny": conv() + pool(2, 2) + conv() + pool(2, 1) + conv() + head() + route(-4) + UP + route(-1, 0) + head(),
    "yolov3": conv() + conv(stride=2) + residual("leaky") + residual("leaky") + head(),
    "yolov3-spp": conv() + conv(stride=2) + spp() + conv(size=1) + head(),
    "yolov4": conv(activation="mish") + csp("mish") + spp() + conv() + head(scale=1.2),
    "yolov4-tiny": conv(stride=2) + TINY4 + route(-6, -1) + pool(2, 2) + conv() + head(scale=1.05),
    "yolov4-csp, yolov4x-mish": conv(activation="mish") + csp("mish") + spp() + head(scale=2.0, new=1),
    "yolov4-csp-swish": conv(activation="swish") + csp("swish") + head(scale=2.0, new=1),
    "Yolo-Fastest": conv(stride=2) + DEPTHWISE + "[dropout]\nprobability=.15\n[shortcut]\nfrom=-5\n" + head(),
    "squeeze and excitation": conv() + "[avgpool]\n" + conv(size=1, activation="relu", bn=0)
    + conv(size=1, activation="logistic", bn=0) + "[scale_channels]\nfrom=-4\n" + head(),
    "spatial attention": conv() + conv(size=1, activation="logistic") + "[sam]\nfrom=-2\n" + head(),
    "reorg": conv() + "[reorg]\nstride=2\n" + head(),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("width", "height"), [(64, 64), (128, 96)])
def test_networks_of_the_family_equal_opencvs(name: str, width: int, height: int, tmp_path: Path) -> None:
    cfg = written(tmp_path, NETWORKS[name], width=width, height=height)
    weights = filled(cfg, tmp_path)
    blob = np.random.default_rng(3).random((1, 3, height, width), np.float32)
    ours, theirs = our_layers(cfg, weights, blob), opencv_layers(cfg, weights, blob)
    shared = ours.keys() & theirs.keys()
    assert len(shared) >= len(ours) - 1
    for number in shared:
        np.testing.assert_allclose(ours[number], theirs[number], atol=1e-3, rtol=1e-4, err_msg=f"layer {number}")


@pytest.mark.parametrize("name", NETWORKS)
def test_with_several_pictures_at_once_each_is_as_alone(name: str, tmp_path: Path) -> None:
    cfg = written(tmp_path, NETWORKS[name], width=96, height=64)
    weights = filled(cfg, tmp_path)
    blob = np.random.default_rng(4).random((3, 3, 64, 96), np.float32)
    together = our_layers(cfg, weights, blob)
    for picture in range(3):
        theirs = opencv_layers(cfg, weights, blob[picture : picture + 1])
        for number in together.keys() & theirs.keys():
            np.testing.assert_allclose(together[number][picture], theirs[number][0], atol=1e-3, rtol=1e-4)


def layers_of(tmp_path: Path, layer: str) -> list[np.ndarray]:
    """What the layers of [conv, `layer`, head] put out, those of the head left out."""
    cfg = written(tmp_path, conv(activation="linear") + layer + head())
    blob = np.random.default_rng(5).normal(0, 1, (1, 3, 64, 64)).astype(np.float32)
    values = our_layers(cfg, filled(cfg, tmp_path), blob)
    return [values[number] for number in sorted(values)][:-1]


@pytest.mark.parametrize(
    ("word", "function"),
    [
        ("relu6", lambda x: np.clip(x, 0, 6)),
        ("relie", lambda x: np.where(x > 0, x, 0.01 * x)),
        ("ramp", lambda x: x * (x > 0) + 0.1 * x),
        ("elu", lambda x: np.where(x >= 0, x, np.exp(np.minimum(x, 0)) - 1)),
        ("selu", lambda x: 1.0507 * np.where(x >= 0, x, 1.6732 * (np.exp(np.minimum(x, 0)) - 1))),
        ("tanh", np.tanh),
        ("hard_mish", lambda x: np.where(x > 0, x, np.where(x > -2, x * x / 2 + x, 0))),
    ],
)
def test_activations_equal_darknets_formulas(word: str, function: np.ufunc, tmp_path: Path) -> None:
    before, after = layers_of(tmp_path, f"[shortcut]\nfrom=-1\nactivation={word}\n")
    np.testing.assert_allclose(after, function(2 * before), atol=1e-4)


def test_dilation_spreads_the_kernel_and_its_padding(tmp_path: Path) -> None:
    before, after = layers_of(
        tmp_path, conv(filters=1, bn=0, activation="linear").replace("size=3", "size=3\ndilation=2")
    )
    assert after.shape == (1, 1, 64, 64)
    padded = np.pad(before[0], ((0, 0), (2, 2), (2, 2)))
    # All weights are positive, so a kernel that reads nothing else shows in the sum's support.
    impulse = [padded[:, 30 + 2 * row, 20 + 2 * column] for row, column in np.ndindex(3, 3)]
    weights = np.random.default_rng(1).uniform(0.4, 0.9, 100_000).astype("<f4")
    first = 8 * 4 + 8 * 27
    bias, kernel = weights[first], weights[first + 1 : first + 73].reshape(8, 9)
    assert after[0, 0, 30, 20] == pytest.approx(bias + (np.array(impulse).T * kernel).sum(), rel=1e-4)


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (2, 2), (3, 2)])
def test_an_average_counts_only_what_is_there(size: int, stride: int, tmp_path: Path) -> None:
    before, after = layers_of(tmp_path, f"[local_avgpool]\nsize={size}\nstride={stride}\n")
    first = (size - 1) // 2
    for row, column in ((0, 0), (3, 5), (after.shape[2] - 1, after.shape[3] - 1)):
        top, left = row * stride - first, column * stride - first
        part = before[0, :, max(top, 0) : top + size, max(left, 0) : left + size]
        np.testing.assert_allclose(after[0, :, row, column], part.mean(axis=(1, 2)), atol=1e-4)


def test_a_shortcut_may_add_several_layers(tmp_path: Path) -> None:
    """(OpenCV takes the first of them only.)"""
    before, after = layers_of(tmp_path, "[shortcut]\nfrom=-1,0\nactivation=leaky\n")
    np.testing.assert_allclose(after, np.where(before > 0, 3 * before, 0.3 * before), rtol=1e-5)


@pytest.mark.parametrize("kind", ["per_feature", "per_channel"])
def test_shortcuts_may_be_weighted(kind: str, tmp_path: Path) -> None:
    layer = f"[shortcut]\nfrom=-1\nweights_type={kind}\nactivation=linear\n"
    before, after = layers_of(tmp_path, layer)
    weights = np.random.default_rng(1).uniform(0.4, 0.9, 100_000).astype("<f4")[8 * 4 + 8 * 27 :]
    factors = weights[:16].reshape(2, 8).sum(axis=0) if kind == "per_channel" else np.full(8, weights[:2].sum())
    np.testing.assert_allclose(after, before * factors.reshape(1, 8, 1, 1), rtol=1e-4)


def test_upsampling_may_scale(tmp_path: Path) -> None:
    before, after = layers_of(tmp_path, "[upsample]\nstride=2\nscale=0.5\n")
    np.testing.assert_allclose(after, before.repeat(2, axis=2).repeat(2, axis=3) / 2, rtol=1e-5)


def test_what_is_imported_detects(tmp_path: Path) -> None:
    cfg = written(tmp_path, NETWORKS["yolov4-csp, yolov4x-mish"], width=64, height=96)
    data, spec = imported(cfg, filled(cfg, tmp_path), size=(96, 64))
    detector = open_detector(*Store(tmp_path).add(data, spec))
    picture = np.random.default_rng(2).integers(0, 256, (40, 90, 3), np.uint8)
    assert len(detector.detect([picture], 0.0)[0]) > 0


def test_a_large_file_is_read_layer_by_layer(tmp_path: Path) -> None:
    """The numbers of one layer are in memory at a time."""
    layers = "".join(conv(filters=512) for _ in range(4))
    cfg = written(tmp_path, layers + head())
    count = (512 * 4 + 512 * 27) + 3 * (512 * 4 + 512 * 512 * 9) + 14 + 14 * 512
    weights = random_weights(tmp_path / "w.weights", count)
    tracemalloc.start()
    imported_to = tmp_path / "large.onnx"
    import_darknet(cfg, weights, imported_to, name="large")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    layer_bytes = 512 * 512 * 9 * 4
    assert imported_to.stat().st_size > 3 * layer_bytes
    assert peak < 6 * layer_bytes, "a layer is held as numbers, as doubles while it is folded, and as text"
