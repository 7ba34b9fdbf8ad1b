"""The frozen trunk as a graph of ONNX's, run by onnxruntime: a reader without torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from smallsight.backbones.facts import LAST
from smallsight.backbones.pooling import mean_over_boxes
from smallsight.runtime.parallel import workers

PICTURES, SCENE, FINER = "pictures", "scene", "finer_"
"""Names of the graph's input, and of its outputs beside `LAST`; finer maps are numbered."""

LARGEST_BATCH, BATCH_PIXELS = 8, 4 * 224**2
"""Pictures of a call, and their pixels: maps of more fall out of a CPU's cache, and fill memory."""

CPU = "CPUExecutionProvider"


def new_session(graph: bytes | str, provider: Any) -> Any:
    """Open a graph, or its file, in onnxruntime: one call is computed by one thread, in silence.

    Parameters
    ----------
    provider
        Where it runs, as `onnxruntime.InferenceSession` has it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(graph, options, providers=[provider])


class OnnxReader:
    """A `Reader` of onnxruntime's on a CPU; one call is computed by one thread.

    Attributes
    ----------
    batch_size
        Pictures per call.

    Parameters
    ----------
    graph
        What `onnx_export.export_trunk` wrote, or its content.
    """

    place = "cpu by onnxruntime"

    def __init__(self, graph: Path | bytes) -> None:
        self._session = new_session(graph if isinstance(graph, bytes) else str(graph), CPU)
        self._outputs = [each.name for each in self._session.get_outputs()]
        _, height, width, _ = self._session.get_inputs()[0].shape
        self.batch_size = max(1, min(LARGEST_BATCH, BATCH_PIXELS // (height * width)))

    @property
    def threads(self) -> int:
        """How many threads are worth calling it at once."""
        return workers()

    def scene(self, pictures: np.ndarray, names: Sequence[tuple[str, str]] = ()) -> np.ndarray:
        """Compute features of pictures; see `Reader`."""
        (found,) = self._session.run([SCENE], {PICTURES: np.ascontiguousarray(pictures)})
        return found

    def read_out(
        self,
        pictures: np.ndarray,
        regions: np.ndarray,
        names: Sequence[tuple[str, str]] = (),
        *,
        keep_maps: bool = False,
    ) -> dict[str, np.ndarray]:
        """Compute the parts of all readouts, and maps; see `Reader`."""
        size = pictures.shape[1]
        values = self._session.run(self._outputs, {PICTURES: np.ascontiguousarray(pictures)})
        found = dict(zip(self._outputs, values, strict=True))
        parts = {
            "scene": found[SCENE],
            "box": mean_over_boxes(found[LAST], regions, size=size),
        }
        finer = [found[name] for name in self._outputs if name.startswith(FINER)]
        if finer:
            pooled = [mean_over_boxes(maps, regions, size=size) for maps in finer]
            parts["finer"] = np.concatenate(pooled, axis=1)
        return parts | ({LAST: found[LAST]} if keep_maps else {})
