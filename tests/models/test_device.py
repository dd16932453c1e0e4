import subprocess
import sys

import pytest
import torch

from kazu_distill.errors import ConfigError
from kazu_distill.models.device import resolve_device, resolve_precision


def test_auto_takes_the_best_device_that_is_there() -> None:
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert resolve_device("auto").type == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_an_error_that_says_what_is() -> None:
    with pytest.raises(ConfigError, match=r"device=cuda: .*it finds .*cpu"):
        resolve_device("cuda")


def test_what_is_no_device_or_precision_is_an_error() -> None:
    with pytest.raises(ConfigError, match="device=tpu"):
        resolve_device("tpu")
    with pytest.raises(ConfigError, match="precision=fp8"):
        resolve_precision("fp8", torch.device("cpu"))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="needs a GPU"):
        resolve_precision("fp16", torch.device("cpu"))


def test_precision_is_what_was_asked_for() -> None:
    assert resolve_precision("bf16", torch.device("cpu")) is torch.bfloat16
    assert resolve_precision("fp32", torch.device("cpu")) is torch.float32
    assert resolve_precision("auto", torch.device("mps")) is torch.float32


def test_the_fallback_for_apples_gpu_is_set_before_torch_is_imported() -> None:
    program = """
import builtins, os
imports = builtins.__import__
def watched(name, *rest, **others):
    if name == "torch" and not watched.seen:
        watched.seen = True
        assert os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK") == "1", "torch is imported too early"
    return imports(name, *rest, **others)
watched.seen = False
builtins.__import__ = watched
import kazu_distill.train
assert watched.seen
"""
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
