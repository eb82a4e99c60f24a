"""Has every ONNX session of this process opened with the thread settings that herdlink has, whoever opens it."""

from __future__ import annotations

from typing import Any

import cv2
import onnxruntime


def tune() -> None:
    """One thread a picture, no waiting in circles; OpenCV on one thread as well."""
    cv2.setNumThreads(1)
    usual = onnxruntime.InferenceSession

    def opened(model: Any, sess_options: Any = None, **more: Any) -> Any:
        options = sess_options or onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return usual(model, options, **more)

    onnxruntime.InferenceSession = opened
