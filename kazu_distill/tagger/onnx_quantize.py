"""An ONNX file with its matrices in 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kazu_distill.tagger.onnx_export import quiet_exporters

_LEAST = 1e-9  # a token whose values are all 0 is divided by it


def quantize(source: Path, target: Path) -> None:
    """Write an ONNX file with its matrices, and the vocabulary's table, in 8 bits.

    Each column of a matrix has a scale, and while computing, each token. Weights use 7 of the bits, since processors
    without VNNI add up two products in 16 bits and would cut off the sum: so the answers are good on any.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(source)
    _scale_by_token(model.graph)
    with quiet_exporters():
        quantize_dynamic(
            model,
            target,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )


def _scale_by_token(graph: Any) -> None:
    """Divide what goes into each matrix by the token's largest value, and multiply what comes out by it.

    ONNX Runtime rounds activations with one scale for a whole batch. One token with a large value, such as a padded
    one, would leave few steps for all the others, and an answer would depend on what else is in the batch. Scaling by
    token is what Dettmers et al. 2022, "LLM.int8()", section 2.1, call vector-wise.
    """
    from onnx import helper, numpy_helper

    constants = {each.name for each in graph.initializer}
    graph.initializer.append(numpy_helper.from_array(np.array([-1], dtype=np.int64), "last_axis"))
    graph.initializer.append(numpy_helper.from_array(np.array(_LEAST, dtype=np.float32), "least_scale"))
    scaled: set[str] = set()
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in constants:
            nodes.append(node)
            continue
        given, result = node.input[0], node.output[0]
        if given not in scaled:  # queries, keys and values are computed from the same
            scaled.add(given)
            nodes += [
                helper.make_node("Abs", [given], [f"{given}_abs"], f"{given}_abs"),
                helper.make_node("ReduceMax", [f"{given}_abs", "last_axis"], [f"{given}_max"], f"{given}_max"),
                helper.make_node("Max", [f"{given}_max", "least_scale"], [f"{given}_scale"], f"{given}_scale"),
                helper.make_node("Div", [given, f"{given}_scale"], [f"{given}_scaled"], f"{given}_scaled"),
            ]
        node.input[0], node.output[0] = f"{given}_scaled", f"{result}_unscaled"
        nodes += [
            node,
            helper.make_node("Mul", [f"{result}_unscaled", f"{given}_scale"], [result], f"{result}_rescaled"),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
