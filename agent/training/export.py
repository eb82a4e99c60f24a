"""From trained weights to the model that is shipped: one .onnx with half-precision numbers, described by its .toml."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from agent.core.model import ModelSpec
from agent.models.darknet import import_darknet
from agent.models.store import Store

TOLD = 0.3
"""herdlink's usual threshold."""
_SURE = "herdlink.sure"
_SMALL = 256
"""Arrays of fewer numbers stay as they are."""
_USUAL_SURE = 0.55
"""Of models from before this was kept."""


def export(
    cfg: Path,
    weights: Path,
    store: Path,
    *,
    name: str,
    labels: tuple[str, ...],
    source: str,
    licence: str,
    size: tuple[int, int] = (0, 0),
    sure: float = TOLD,
) -> tuple[Path, ModelSpec]:
    """Writes NAME.onnx and NAME.toml into a store; returns the file and its description.

    `sure` is the network's own score that is told as TOLD: the file keeps it for those who train it further.
    """
    with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
        file = Path(folder) / "new.onnx"
        spec = import_darknet(cfg, weights, file, name=name, labels=labels, size=size, source=source, licence=licence)
        read = onnx.load_model_from_string(halved(file.read_bytes()))
        read.metadata_props.add(key=_SURE, value=f"{sure:.4f}")
        file.write_bytes(read.SerializeToString())
        return Store(store).add(file, spec)


def sure_of(model: Path) -> float:
    """The network's own score that a model made by export() tells as TOLD; 0.55 where it does not say so."""
    said = {one.key: one.value for one in onnx.load(model).metadata_props}
    return float(said.get(_SURE, _USUAL_SURE))


def halved(model: bytes) -> bytes:
    """The model with its large arrays kept as float16 and widened again where they are used.

    Runtimes fold the widening away when they load it: it computes as before, the file has half the size.
    """
    read = onnx.load_model_from_string(model)
    graph = read.graph
    kept, nodes = [], []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if constant.data_type != TensorProto.FLOAT or values.size < _SMALL:
            kept.append(constant)
            continue
        half = f"{constant.name}_half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), half))
        nodes.append(helper.make_node("Cast", [half], [constant.name], to=TensorProto.FLOAT))
    nodes += list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(read)
    return bytes(read.SerializeToString())
