"""The Darknet importer against OpenCV's own, layer by layer, and against broken files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
from darknet_toys import conv, filled, head, imported, opencv_layers, our_layers, random_weights, written

from agent.core.errors import InvalidArgument
from agent.models.class_names import read_labels
from agent.models.darknet_files import read_cfg

NETWORKS = {
    "leaky": conv() + conv(stride=2) + head(),
    "mish": conv(activation="mish") + conv(size=1, activation="mish") + head(),
    "relu, logistic, swish": conv(activation="relu") + conv(activation="logistic") + conv(activation="swish") + head(),
    "no batch norm": conv(bn=0) + head(),
    "grouped convolution": conv() + conv(groups=4) + conv(groups=8, filters=16) + head(),
    "padding": conv().replace("pad=1", "padding=2") + head(),
    "route": conv() + conv(filters=4) + "[route]\nlayers=-1, 0\n" + head(),
    "route with groups": conv() + "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n" + conv(filters=4) + head(),
    "shortcut": conv() + conv() + "[shortcut]\nfrom=-2\nactivation=linear\n" + head(),
    "shortcut leaky": conv() + conv() + "[shortcut]\nfrom=-2\nactivation=leaky\n" + head(),
    "upsample": conv(stride=2) + "[upsample]\nstride=2\n" + "[route]\nlayers=-1\n" + head(),
    "maxpool stride 2": conv() + "[maxpool]\nsize=2\nstride=2\n" + conv() + head(),
    "maxpool stride 1": conv() + "[maxpool]\nsize=2\nstride=1\n" + conv() + head(),
    "maxpool of SPP": conv() + "[maxpool]\nsize=5\nstride=1\n[route]\nlayers=-2\n[maxpool]\nstride=1\nsize=9\n"
    "[route]\nlayers=-1,-3,-4\n" + head(),
    "maxpool 3 stride 2": conv() + "[maxpool]\nsize=3\nstride=2\n" + head(),
    "scale_x_y": conv() + head(scale=1.2),
    "new_coords": conv() + head(scale=2.0, new=1),
    "two heads": conv() + head() + "[route]\nlayers=-3\n" + conv(stride=2) + head(scale=1.05),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_equals_opencvs(name: str, tmp_path: Path) -> None:
    cfg = written(tmp_path, NETWORKS[name], width=64, height=96)
    weights = filled(cfg, tmp_path)
    blob = np.random.default_rng(3).random((1, 3, 96, 64), np.float32)
    ours, theirs = our_layers(cfg, weights, blob), opencv_layers(cfg, weights, blob)
    assert ours.keys() == theirs.keys() and len(ours) >= 2
    for number, value in ours.items():
        np.testing.assert_allclose(value, theirs[number], atol=1e-3, rtol=1e-4, err_msg=f"layer {number}")


def test_the_description_tells_how_to_decode(tmp_path: Path) -> None:
    cfg = written(tmp_path, NETWORKS["two heads"].replace("mask=0,2", "mask=1,2", 1), width=96, height=64)
    data, spec = imported(cfg, filled(cfg, tmp_path), labels=("cow", "calf"))
    heads = spec.options["heads"]
    assert (spec.width, spec.height, spec.labels, spec.fit) == (96, 64, ("cow", "calf"), "stretch")
    assert [h["anchors"] for h in heads] == [[[23, 27], [37, 58]], [[10, 14], [37, 58]]]
    assert [h["scale_x_y"] for h in heads] == [1.0, 1.05]
    model = onnx.load_model_from_string(data)
    assert [model.opset_import[0].version, model.ir_version] == [13, 8]
    assert "net.cfg (sha256 " in spec.source


def test_a_network_trained_with_letterbox_says_so(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    cfg.write_text(cfg.read_text().replace("channels=3", "channels=3\nletter_box=1"))
    assert imported(cfg, filled(cfg, tmp_path))[1].fit == "letterbox"


def test_the_size_can_be_chosen(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv(stride=2) + head())
    weights = filled(cfg, tmp_path)
    data, spec = imported(cfg, weights, size=(128, 96))
    assert (spec.width, spec.height) == (128, 96)
    shape = onnx.load_model_from_string(data).graph.output[0].type.tensor_type.shape
    assert [part.dim_value for part in shape.dim] == [1, 14, 48, 64]
    assert spec.labels == ("class 0", "class 1")


def test_old_weights_count_pictures_in_32_bits(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    weights = filled(cfg, tmp_path)
    new, _ = imported(cfg, weights)
    data = weights.read_bytes()
    weights.write_bytes(struct.pack("<4i", 0, 1, 0, 7) + data[20:])
    old, _ = imported(cfg, weights)
    assert old == new


def test_comments_blanks_and_repeated_keys_read_as_darknet_does(tmp_path: Path) -> None:
    text = "# head\n\n  [net] \r\nwidth = 6 4\nheight=96 ; tall\nheight=32\n[conv]\nfilters = 4 # few\n"
    path = tmp_path / "odd.cfg"
    path.write_text(text)
    net, layer = read_cfg(path)
    assert (net.integer("width", 0), net.integer("height", 0)) == (64, 96)
    assert (layer.place, layer.integer("filters", 0)) == ("layer 0 [conv]", 4)


BROKEN_LAYERS = {
    "[crnn]\nfilters=3\n": "layer 1 [crnn]: this layer type is not known",
    conv(activation="gelu"): "layer 1 [convolutional]: activation 'gelu' is not known",
    conv(groups=3): "layer 1 [convolutional]: 3 groups do not divide",
    conv().replace("filters=8", "filters=many"): "layer 1 [convolutional]: filters = 'many' is no number",
    conv().replace("filters=8", "filters=0"): "layer 1 [convolutional]: filters = 0",
    conv().replace("size=3", "size=3\ndilation=0"): "layer 1 [convolutional]: dilation = 0 must lie",
    conv().replace("size=3", "size=3\nantialiasing=1"): "layer 1 [convolutional]: antialiasing is not supported",
    "[route]\nlayers=-9\n": "layer 1 [route]: there is no layer -9",
    "[route]\nlayers=4\n": "layer 1 [route]: there is no layer 4",
    "[route]\n": "layer 1 [route]: it names no layers",
    "[route]\nlayers=-1\ngroups=3\n": "layer 1 [route]: 8 channels have no group 0 of 3",
    conv(stride=2) + "[route]\nlayers=0,1\n": "layer 2 [route]: it joins layers of different sizes: 64x64, 32x32",
    conv(filters=4) + "[shortcut]\nfrom=-2\n": "layer 2 [shortcut]: it adds layers of different shapes",
    "[shortcut]\nfrom=-1\nweights_type=per_pixel\n": "layer 1 [shortcut]: weights_type 'per_pixel' is not known",
    "[shortcut]\nfrom=-1\nweights_type=per_channel\nweights_normalization=relu\n": "weights_normalization is not",
    conv(filters=4) + "[sam]\nfrom=-2\n": "layer 2 [sam]: it multiplies layers of different shapes",
    "[scale_channels]\nfrom=0\n": "layer 1 [scale_channels]: the layer before it does not fit",
    "[reorg]\nstride=3\n": "layer 1 [reorg]: its stride must divide",
    "[upsample]\nstride=0\n": "layer 1 [upsample]: stride = 0",
    "[upsample]\nstride=1024\n": "layer 1 [upsample]: its output of 8x65536x65536 is too large",
    "[maxpool]\nsize=2\nstride=2\npadding=7\n": "layer 1 [maxpool]: a padding of 7 is too much",
    "[yolo]\nmask=0\nanchors=1,2\nclasses=2\n": "layer 1 [yolo]: 1 anchors and 2 classes make 7 channels",
    "[yolo]\nmask=5\nanchors=1,2\nclasses=3\n": "layer 1 [yolo]: the mask [5] does not fit 1 anchors",
    "[yolo]\nmask=0\nanchors=nan,2\nclasses=3\n": "layer 1 [yolo]: anchors = 'nan,2' is not finite",
}


@pytest.mark.parametrize("layer", BROKEN_LAYERS)
def test_a_layer_that_cannot_be_imported_is_named(layer: str, tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + layer + head(), width=64, height=64)
    assert BROKEN_LAYERS[layer] in refusal(cfg, random_weights(tmp_path / "w.weights", 20_000))


def test_two_heads_on_one_layer_are_refused(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head() + "[yolo]" + head().split("[yolo]")[1])
    assert "layer 3 [yolo]: another [yolo] layer" in refusal(cfg, filled(cfg, tmp_path, check=False))


def test_weights_cut_off_tell_layer_and_bytes(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    weights = filled(cfg, tmp_path)
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-6])
    needs = f"layer 1 [convolutional] needs the bytes {len(whole) - 448} to {len(whole)}, the file ends at"
    assert f"w.weights is too short: {needs} {len(whole) - 6}" in refusal(cfg, weights)


def test_weights_left_over_tell_the_byte(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    weights = filled(cfg, tmp_path)
    size = weights.stat().st_size
    weights.write_bytes(weights.read_bytes() + b"\0" * 5)
    said = refusal(cfg, weights)
    assert f"w.weights is too long: layer 2 [yolo], the last, ends at byte {size} and 5 bytes" in said


def test_weights_that_are_no_numbers_tell_the_byte(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    weights = filled(cfg, tmp_path)
    data = bytearray(weights.read_bytes())
    data[20 + 4 * 5 : 20 + 4 * 6] = struct.pack("<f", float("nan"))
    weights.write_bytes(data)
    assert "layer 0 [convolutional] reads what is no number at byte 40" in refusal(cfg, weights)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no Darknet weights file: it has only 0 bytes"),
        (b"this is a text about pigs and not a network\n" * 9, "no Darknet weights file: it begins with no version"),
        (struct.pack("<3iq", 0, 2, 5, 0), "too short: layer 0 [convolutional] needs the bytes 20 to 52"),
    ],
)
def test_a_file_that_is_no_weights(content: bytes, says: str, tmp_path: Path) -> None:
    weights = tmp_path / "w.weights"
    weights.write_bytes(content)
    assert says in refusal(written(tmp_path, conv() + head()), weights)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it does not begin with [net]"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "it is not text"),
        (b"pigs are fine animals\n", "line 1 is 'pigs are fine animals'"),
        (b"[convolutional]\nfilters=3\n", "it does not begin with [net]"),
        (b"[net]\nwidth=64\nheight=64\n", "the cfg has no layers"),
    ],
)
def test_a_file_that_is_no_cfg(content: bytes, says: str, tmp_path: Path) -> None:
    cfg = tmp_path / "net.cfg"
    cfg.write_bytes(content)
    assert says in refusal(cfg, random_weights(tmp_path / "w.weights", 10))


def test_folders_and_missing_files_are_told_plainly(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    weights = filled(cfg, tmp_path)
    assert "Is a directory" in refusal(tmp_path, weights)
    assert "Is a directory" in refusal(cfg, tmp_path)
    assert "No such file" in refusal(tmp_path / "none.cfg", weights)
    assert "No such file" in refusal(cfg, tmp_path / "none.weights")


def test_a_network_without_heads_is_refused(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv())
    assert "has no [yolo] layer" in refusal(cfg, filled(cfg, tmp_path, check=False))


def test_labels_must_be_as_many_as_classes(tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    with pytest.raises(InvalidArgument, match="has 2 classes and 1 labels were given") as caught:
        imported(cfg, filled(cfg, tmp_path), labels=("cow",))
    assert caught.value.reason == "LABELS_MISMATCH"


@pytest.mark.parametrize("size", [33, 16, 8192])
def test_sizes_that_darknet_cannot_take_are_refused(size: int, tmp_path: Path) -> None:
    cfg = written(tmp_path, conv() + head())
    with pytest.raises(InvalidArgument, match="multiples of 32"):
        imported(cfg, filled(cfg, tmp_path), size=(size, size))


def test_labels_are_read_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_bytes("cow\r\nKälbchen \n\n".encode())
    assert read_labels(path) == ("cow", "Kälbchen")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidArgument, match="it is not text"):
        read_labels(path)
    path.write_bytes(b"\n")
    with pytest.raises(InvalidArgument, match="one label a line"):
        read_labels(path)


def refusal(cfg: Path, weights: Path) -> str:
    """The one sentence that the importer says."""
    with pytest.raises(InvalidArgument) as caught:
        imported(cfg, weights)
    assert caught.value.reason == "MODEL_INVALID" and "\n" not in caught.value.message
    return caught.value.message
