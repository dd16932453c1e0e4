"""How fast an open LLM is tuned and how fast it answers, for models of random weights: nothing is downloaded.

    python scripts/bench_llm.py --shape 1b 8b
    python scripts/bench_llm.py --shape tiny --device cpu

The first command is for a GPU, and needs no network. The second only tries the script; its figures say nothing. What
is measured is told in ``bench_llm_tuning.py`` and ``bench_llm_generation.py``. A row for which the memory is too small
says n/a. "Estimated" is what ``kazu_distill.base_llm.memory`` tells beforehand; what a device held at most, CUDA alone
tells.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from functools import partial

import torch
from bench_llm_generation import COLUMNS, answered
from bench_llm_model import PEAK_TFLOPS, SHAPES, cleared, described, made, measured_tflops
from bench_llm_tuning import columns, tuned
from bench_runs import machine, table

from kazu_distill.base_llm.errors import OutOfMemory, is_out_of_memory
from kazu_distill.base_llm.settings import Described
from kazu_distill.models.device import resolve_device
from kazu_distill.models.quiet import quieten_libraries


def row(name: str, cells: Callable[[], list[str]], heads: Sequence[str], device: torch.device) -> list[str]:
    """A row of a table; n/a where memory ends."""
    try:
        made_cells = cells()
    except (OutOfMemory, RuntimeError, MemoryError) as error:
        if not isinstance(error, OutOfMemory) and not is_out_of_memory(error):
            raise
        made_cells = ["n/a"] * (len(heads) - 1)
    cleared(device)
    print(f"<!-- {name}: {' · '.join(made_cells)} -->", flush=True)
    return [name, *made_cells]


def tuning_table(models: Sequence[Described], options: argparse.Namespace, peaks: dict[str, float | None]) -> str:
    """Tokens a second in tuning, and the share of the card's arithmetic."""
    heads = columns(peaks)
    rows = []
    for model, batch_tokens, checkpointed in itertools.product(models, options.batch_tokens, (True, False)):
        name = f"{model.settings.name}, {batch_tokens:,} a step{', checkpointed' if checkpointed else ''}"
        cells = partial(
            tuned, model, batch_tokens=batch_tokens, record=options.record, steps=options.steps,
            checkpointed=checkpointed, peaks=list(peaks.values()),
        )  # fmt: skip
        rows.append(row(name, cells, heads, model.device))
    return table(heads, rows)


def answering_table(models: Sequence[Described], options: argparse.Namespace) -> str:
    """Tokens a second in answering."""
    rows = []
    for model in models:
        weights = made(model)
        for batch, forced, reuse in itertools.product(options.batch, (False, True), (True, False)):
            name = f"{model.settings.name}, {batch} at once{', forced' if forced else ''}{', reuse' if reuse else ''}"
            cells = partial(
                answered, model, weights, batch=batch, shared=options.shared, own=options.own, answer=options.answer,
                least_s=options.seconds, forced=forced, reuse=reuse,
            )  # fmt: skip
            rows.append(row(name, cells, COLUMNS, model.device))
        del weights, cells
        cleared(model.device)
    return table(COLUMNS, rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=["1b", "8b"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--peak-tflops", type=float, help="of the card in bf16, where this script does not know it")
    parser.add_argument("--batch-tokens", type=int, nargs="+", default=[4096, 16384], help="of a step of tuning")
    parser.add_argument("--record", type=int, default=1024, help="tokens of a record")
    parser.add_argument("--steps", type=int, default=10, help="that are measured")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 128], help="questions at once")
    parser.add_argument("--shared", type=int, default=768, help="tokens that all questions begin with")
    parser.add_argument("--own", type=int, default=256, help="tokens of each question alone")
    parser.add_argument("--answer", type=int, default=128, help="tokens of an answer")
    parser.add_argument("--seconds", type=float, default=5.0, help="at least, of each row of answering")
    options = parser.parse_args()
    quieten_libraries()
    device = resolve_device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    peaks = {
        "the data sheet's peak": options.peak_tflops or PEAK_TFLOPS.get(name),
        "a large product's": measured_tflops(device),
    }
    models = [described(shape, device) for shape in options.shape]
    print(f"{machine()}\n")
    print(f"TFLOP/s: {', '.join(f'{peak} {value:,.3g}' for peak, value in peaks.items() if value)}\n")
    print(tuning_table(models, options, peaks))
    print(answering_table(models, options))


if __name__ == "__main__":
    main()
