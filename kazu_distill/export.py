"""A trained tagger as ONNX, in float32 and in int8: ``python -m kazu_distill.export model=runs/train/model``."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.table import Table

from kazu_distill.console import console, print_files, print_remarks, write_json
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, KazuDistillError, require_number
from kazu_distill.models.quiet import quieten_libraries
from kazu_distill.models.threads import limit_threads
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.stage import stage_main
from kazu_distill.tagger.fingerprint import hash_of_weights
from kazu_distill.tagger.onnx_export import export_onnx, require_exporter
from kazu_distill.tagger.onnx_files import FILES
from kazu_distill.tagger.onnx_quantize import quantize
from kazu_distill.tagger.onnx_runtime import OnnxRuntime
from kazu_distill.tagger.parity import largest_difference, rows_of
from kazu_distill.tagger.runtime import RuntimeName, TorchRuntime, load_torch_runtime
from kazu_distill.tagger.saved import TaggerParts, load_parts, save_parts
from kazu_distill.tagger.tagger import Tagger

_WINDOWS = 256  # whose logits are compared, at most


class ExportRefused(KazuDistillError):
    """An exported model does not answer as the trained one does."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A runtime's file in bytes, strict F1 (0 to 1), speed, and largest difference of a logit from torch in float32."""

    bytes: int
    micro_f1: float
    mean_f1: float
    documents_per_second: float
    logit_difference: float


@stage_main(config_name="export")
def main(config: DictConfig) -> None:
    """Run the stage."""
    folder, out = Path(config.model), Path(config.out)
    require_exporter()
    limit_threads()
    _check_numbers(config)
    quieten_libraries()
    parts = load_parts(folder)
    model = load_torch_runtime(folder, parts, device="cpu", precision="fp32").model
    check = Check(parts, model, _documents(config, parts))
    if not check.has_gold:
        console.print("no document has a span: torch's own predictions are taken for gold")
    model.config.save_pretrained(out)
    save_parts(out, parts)
    measured = {"torch": check.measure("torch", check.torch, folder.glob("*.safetensors"))}
    try:
        with _workshop(out) as workshop:
            exact, rounded = workshop / FILES["onnx"], workshop / FILES["int8"]
            export_onnx(model, exact, length=parts.settings.max_length, weights=hash_of_weights(folder) or "")
            measured["onnx"] = check.measure("onnx", _runtime(exact, parts), [exact])
            _keep(exact, out, unless=_differing_logits(measured, config.tolerance.logits))
            quantize(out / FILES["onnx"], rounded)
            measured["int8"] = check.measure("int8", _runtime(rounded, parts), [rounded])
            _keep(rounded, out, unless=_differing_f1(measured, config.tolerance.f1, len(check.documents)))
    finally:
        write_json(out / "export.json", _report(config, check, measured))
        console.print(_table(measured, len(check.documents)))
    print_files(out, *FILES.values(), "export.json")


class Check:
    """Measures runtimes of one model on the same documents.

    Args:
        parts: of the tagger.
        model: the trained one.
        documents: with gold; if none of them has a span, torch's predictions are taken for gold.

    Raises:
        ConfigError: there is no span to measure by.
    """

    def __init__(self, parts: TaggerParts, model: Any, documents: Sequence[Document]) -> None:
        self._parts = parts
        self._exact = self._torch(model, precision="fp32")
        self.torch = self._torch(model, precision="auto")  # as predict computes on this machine
        self.documents = documents
        self.has_gold = any(document.spans for document in documents)
        tagger = Tagger(runtime=self.torch, parts=parts)
        self._gold = documents if self.has_gold else list(tagger.label(documents))
        if not any(document.spans for document in self._gold):
            raise ConfigError("neither gold nor the model has a span in these documents: give others with gold.path=…")
        texts = (section.text for document in documents for section in document.sections)
        self._rows = rows_of(texts, tagger.windower, most=_WINDOWS)

    def measure(
        self, name: RuntimeName, runtime: TorchRuntime | OnnxRuntime, files: Iterator[Path] | Sequence[Path]
    ) -> Measured:
        """What a runtime is like whose model lies in some files."""
        tagger = Tagger(runtime=runtime, parts=self._parts)
        console.print(f"measuring {name} on {len(self.documents):,} documents …")
        begin = time.perf_counter()
        predicted = list(tagger.label(self.documents))
        seconds = time.perf_counter() - begin
        metrics = metrics_of(strict_counts(paired(self._gold, predicted), self._parts.schema.labels))
        return Measured(
            bytes=sum(file.stat().st_size for file in files),
            micro_f1=float(metrics["micro_f1"] or 0),
            mean_f1=float(metrics["mean_f1"] or 0),
            documents_per_second=len(predicted) / seconds,
            logit_difference=largest_difference(self._exact, runtime, self._rows),
        )

    def _torch(self, model: Any, **precision: Any) -> TorchRuntime:
        longest = self._parts.settings.max_length
        padding = self._parts.tokenizer.pad_token_id
        return TorchRuntime(model=model, padding=padding, longest=longest, device="cpu", **precision)


def _differing_logits(measured: Mapping[str, Measured], tolerance: float) -> str:
    """Why the ONNX file is refused, if it is."""
    difference = measured["onnx"].logit_difference
    if difference <= tolerance:
        return ""
    return (
        f"its logits differ from torch's by up to {difference:.2g}, and tolerance.logits is {tolerance:g}. Choose "
        "runtime=torch, and report the encoder and the versions of torch and onnxruntime"
    )


def _differing_f1(measured: Mapping[str, Measured], tolerance: float, documents: int) -> str:
    """Why the int8 file is refused, if it is."""
    before, after = (100 * measured[runtime].micro_f1 for runtime in ("torch", "int8"))
    if abs(after - before) <= tolerance:
        return ""
    return (
        f"its strict micro F1 on {documents:,} documents is {after:.1f}, torch's {before:.1f}, and tolerance.f1 is "
        f"{tolerance:g} points. Choose runtime=onnx; or measure on more gold (gold.path=…), as on few documents chance "
        "differs by more; or allow it (tolerance.f1=…)"
    )


def _keep(file: Path, out: Path, *, unless: str) -> None:
    """Put a file in its place; or leave nothing there, if there is a reason not to keep it.

    Raises:
        ExportRefused: there is.
    """
    kept = out / file.name
    if unless:
        kept.unlink(missing_ok=True)
        raise ExportRefused(f"{kept} is not kept: {unless}")
    file.replace(kept)


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """A folder for files that are not checked yet; an unfinished run's is emptied."""
    folder = out / ".unchecked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _documents(config: DictConfig, parts: TaggerParts) -> list[Document]:
    corpus = instantiate(config.gold, labels=parts.schema.labels)
    documents = list(islice(corpus, config.documents))
    print_remarks(corpus)
    if not any(section.text.strip() for document in documents for section in document.sections):
        raise ConfigError(f"{config.gold.path} has no text to check the export on: set gold.path")
    return documents


def _runtime(file: Path, parts: TaggerParts) -> OnnxRuntime:
    return OnnxRuntime(file, padding=parts.tokenizer.pad_token_id, longest=parts.settings.max_length)


def _check_numbers(config: DictConfig) -> None:
    require_number("documents", config.documents, above=0, whole=True)
    for name, value in config.tolerance.items():
        require_number(f"tolerance.{name}", value)


def _report(config: DictConfig, check: Check, measured: Mapping[str, Measured]) -> dict[str, Any]:
    return {
        "model": str(config.model),
        "gold": str(config.gold.path) if check.has_gold else "predictions of torch",
        "documents": len(check.documents),
        "tolerance": dict(config.tolerance),
        "runtimes": {runtime: asdict(figures) for runtime, figures in measured.items()},
    }


def _table(measured: Mapping[str, Measured], documents: int) -> Table:
    table = Table(title=f"{documents:,} documents")
    for name in ("runtime", "MB", "largest difference of logits", "micro F1", "mean F1", "documents/s"):
        table.add_column(name, justify="left" if name == "runtime" else "right")
    for runtime, own in measured.items():
        f1 = (f"{100 * value:.1f}" for value in (own.micro_f1, own.mean_f1))
        difference, speed = f"{own.logit_difference:.1g}", f"{own.documents_per_second:,.1f}"
        table.add_row(runtime, f"{own.bytes / 1e6:.1f}", difference, *f1, speed)
    return table


if __name__ == "__main__":
    main()
