"""Exported models answer as torch does, for every family of encoders and every shape of batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.fingerprint import hash_of_weights
from kazu_distill.tagger.onnx_export import export_onnx, require_exporter
from kazu_distill.tagger.onnx_quantize import quantize
from kazu_distill.tagger.onnx_runtime import OnnxRuntime
from kazu_distill.tagger.parity import largest_difference, rows_of
from kazu_distill.tagger.runtime import TorchRuntime, load_torch_runtime
from kazu_distill.tagger.saved import load_parts
from kazu_distill.tagger.tagger import Tagger
from tests.stages import REPOSITORY
from tests.tagger.encoders import tiny_bert
from tests.tagger.families import FAMILIES, tiny_encoder
from tests.tagger.saved_taggers import DOCUMENTS, TEXTS, save_tagger

TOLERANCE = 1e-4


def torch_and_onnx(folder: Path) -> tuple[TorchRuntime, OnnxRuntime]:
    """A saved tagger's runtimes; its ONNX files are put where they belong."""
    parts = load_parts(folder)
    runtime = load_torch_runtime(folder, parts, device="cpu", precision="fp32")
    file = folder / "onnx/model.onnx"
    file.parent.mkdir()
    export_onnx(runtime.model, file, length=parts.settings.max_length, weights=hash_of_weights(folder) or "")
    quantize(file, file.with_name("model_int8.onnx"))
    return runtime, OnnxRuntime(file, padding=parts.tokenizer.pad_token_id, longest=parts.settings.max_length)


def largest_logit(runtime: TorchRuntime, rows: Sequence[NDArray[np.int32]]) -> float:
    return max(float(np.abs(runtime.logits([row])).max()) for row in rows)


def rows_in(folder: Path) -> list[NDArray[np.int32]]:
    """Windows of unlike lengths."""
    return rows_of(TEXTS, Tagger.from_pretrained(folder, device="cpu").windower, most=100)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger's folder with both exports."""
    folder = tmp_path_factory.mktemp("exported")
    save_tagger(tiny_bert(folder / "encoder"), folder / "model")
    torch_and_onnx(folder / "model")
    return folder / "model"


@pytest.mark.parametrize("family", [pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES])
def test_every_family_of_encoders_is_exported_with_the_same_logits(family: str, tmp_path: Path) -> None:
    folder = save_tagger(tiny_encoder(family, tmp_path / "encoder"), tmp_path / "model")
    torch, onnx = torch_and_onnx(folder)
    rows = rows_in(folder)
    assert len({len(row) for row in rows}) > 2
    assert largest_difference(torch, onnx, rows) < TOLERANCE
    assert all(largest_difference(torch, onnx, [row]) < TOLERANCE for row in rows)
    rounded = Tagger.from_pretrained(folder, runtime="int8")
    assert largest_difference(torch, rounded.runtime, rows) < 0.05 * largest_logit(torch, rows)  # type: ignore[arg-type]
    assert any(rounded.predict(TEXTS))


def test_the_tagger_finds_the_same_with_onnx_as_with_torch(exported: Path) -> None:
    by_torch, by_onnx = (
        [
            [(span.start, span.end, span.label) for _, span in document.spans]
            for document in Tagger.from_pretrained(exported, runtime=runtime, precision="fp32").label(DOCUMENTS)
        ]
        for runtime in ("torch", "onnx")
    )
    assert any(by_torch)
    assert by_torch == by_onnx


@pytest.mark.parametrize(("runtime", "tolerance"), [("onnx", 1e-5), ("int8", 0.05)])
def test_a_row_has_the_same_probabilities_alone_and_beside_longer_ones(
    runtime: str, tolerance: float, exported: Path
) -> None:
    loaded = Tagger.from_pretrained(exported, runtime=runtime).runtime  # type: ignore[arg-type]
    rows = rows_in(exported)
    together = loaded.probabilities(rows)
    assert together.shape[:2] == (len(rows), max(map(len, rows)))
    for row, own in zip(rows, together, strict=True):
        alone = loaded.probabilities([row])
        assert alone.shape[1] == len(row)
        assert np.abs(alone[0] - own[: len(row)]).max() < tolerance


def test_another_models_export_is_far_from_the_model(exported: Path, tmp_path: Path) -> None:
    folder = save_tagger(tiny_encoder("bert", tmp_path / "encoder"), tmp_path / "model")
    parts = load_parts(folder)
    mine = load_torch_runtime(folder, parts, device="cpu", precision="fp32")
    of_another = OnnxRuntime(exported / "onnx/model.onnx", padding=0, longest=32)
    assert largest_difference(mine, of_another, rows_in(folder)) > 0.1


def test_logits_that_are_no_numbers_are_never_alike() -> None:
    class Silent:
        def logits(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
            return np.full((len(rows), 3, 2), np.nan, dtype=np.float32)

    assert largest_difference(Silent(), Silent(), [np.zeros(3, dtype=np.int32)]) == np.inf


def test_an_export_can_be_sent_on_without_the_weights_of_torch(exported: Path, tmp_path: Path) -> None:
    parts = load_parts(exported)
    parts.tokenizer.save_pretrained(tmp_path)
    for name in ("config.json", "tagger.json", "schema.json", "onnx/model_int8.onnx"):
        (tmp_path / Path(name).name).write_bytes((exported / name).read_bytes())
    before, after = (list(Tagger.from_pretrained(each, runtime="int8").predict(TEXTS)) for each in (exported, tmp_path))
    assert before == after


def test_an_export_of_other_weights_than_the_folders_is_refused(exported: Path, tmp_path: Path) -> None:
    folder = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model", change=lambda model: model.half().float())
    (folder / "onnx").mkdir()
    (folder / "onnx/model.onnx").write_bytes((exported / "onnx/model.onnx").read_bytes())
    with pytest.raises(ConfigError, match=rf"other weights .* python -m kazu_distill.export model={folder}"):
        Tagger.from_pretrained(folder, runtime="onnx")


def test_what_onnx_needs_is_not_loaded_before_it_is_used() -> None:
    program = "import sys, kazu_distill.predict; print({'onnx', 'onnxruntime', 'onnxscript'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_errors_of_runtimes_say_what_to_do(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model")
    with pytest.raises(ConfigError, match=r"no onnx/model_int8.onnx; make it with: python -m kazu_distill.export"):
        Tagger.from_pretrained(plain, runtime="int8")
    with pytest.raises(ConfigError, match="runtime=fast: choose torch, onnx, int8"):
        Tagger.from_pretrained(exported, runtime="fast")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="runtime=onnx computes on the CPU"):
        Tagger.from_pretrained(exported, runtime="onnx", device="cuda")
    with pytest.raises(ConfigError, match="leave precision=auto"):
        Tagger.from_pretrained(exported, runtime="onnx", precision="bf16")
    (plain / "onnx").mkdir()
    (plain / "onnx/model.onnx").write_bytes(b"half a file")
    with pytest.raises(ConfigError, match=r"model.onnx cannot be loaded"):
        Tagger.from_pretrained(plain, runtime="onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as where it is not installed
    with pytest.raises(ConfigError, match=r'pip install "kazu-distill\[onnx\]"'):
        Tagger.from_pretrained(exported, runtime="onnx")
    with pytest.raises(ConfigError, match=r'exporting needs onnxruntime: pip install "kazu-distill\[onnx\]"'):
        require_exporter()
