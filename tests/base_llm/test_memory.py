"""What a model will take is told before it is loaded, and is about right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM, MistralConfig, Qwen3Config, T5Config

from kazu_distill.base_llm.memory import Memory, asking_memory, tuning_memory
from kazu_distill.base_llm.room import Room, room_of
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.base_llm.shape import shape_of_model
from tests.base_llm.peak import BATCH, KINDS, adapted, described

REPOSITORY = Path(__file__).parents[2]


def of(config: Any, *, is_seq2seq: bool = False, load_in_4bit: bool = False, attention: str | None = None) -> Described:
    """A model on a GPU, of which nothing but its configuration is there."""
    settings = BaseLLM(name="a model", load_in_4bit=load_in_4bit, attention=attention)
    form: Any = None
    return Described(settings, config, form, is_seq2seq, torch.device("cuda"), torch.bfloat16)


QWEN3_8B = Qwen3Config(
    vocab_size=151936, hidden_size=4096, intermediate_size=12288, num_hidden_layers=36, num_attention_heads=32,
    num_key_value_heads=8, head_dim=128,
)  # fmt: skip
QWEN3_1_7B = Qwen3Config(
    vocab_size=151936, hidden_size=2048, intermediate_size=6144, num_hidden_layers=28, num_attention_heads=16,
    num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
)  # fmt: skip
FLAN_T5_XL = T5Config(
    vocab_size=32128, d_model=2048, d_kv=64, d_ff=5120, num_layers=24, num_heads=32, feed_forward_proj="gated-gelu",
)  # fmt: skip


def tuning(model: Described, **settings: Any) -> Memory:
    usual = {"trained": 40_000_000, "batch_tokens": 4096, "learnt_tokens": 1024, "gradient_checkpointing": True}
    return tuning_memory(model, **(usual | settings))


def test_parameters_are_those_of_the_published_models() -> None:
    assert shape_of_model(of(QWEN3_8B)).parameters == 8_190_735_360
    assert shape_of_model(of(QWEN3_1_7B)).parameters == 1_720_574_976  # its head is its embeddings
    assert asking_memory(of(QWEN3_1_7B), batch=1, tokens=1).parts["weights"] == 2 * 1_720_574_976


def test_weights_of_four_bits_leave_embeddings_and_head_as_they_are() -> None:
    vocabulary = 2 * 151936 * 4096
    weights = asking_memory(of(QWEN3_8B, load_in_4bit=True), batch=1, tokens=1).parts["weights"]
    assert weights == pytest.approx(2 * vocabulary + (8_190_735_360 - vocabulary) * 0.516, rel=1e-3)


def test_keys_and_values_are_those_of_grouped_heads_and_windows() -> None:
    assert asking_memory(of(QWEN3_8B), batch=3, tokens=1000).parts["cache"] == 2 * 2 * 36 * 3 * 1000 * 8 * 128
    windowed = MistralConfig(num_hidden_layers=2, num_key_value_heads=4, hidden_size=64, num_attention_heads=8)
    windowed.sliding_window = 100
    assert asking_memory(of(windowed), batch=1, tokens=1000).parts["cache"] == 2 * 2 * 2 * 100 * 4 * 8


def test_an_encoders_questions_and_a_decoders_answers_are_both_counted() -> None:
    with_answers, without = (
        tuning(of(FLAN_T5_XL, is_seq2seq=True), learnt_tokens=learnt, longest=512, gradient_checkpointing=False)
        for learnt in (1024, 0)
    )
    assert with_answers.parts["activations"] > 1.3 * without.parts["activations"] > 0
    assert without.parts["logits"] == 0
    assert asking_memory(of(FLAN_T5_XL, is_seq2seq=True), batch=1, tokens=100).parts["cache"] == 2 * 2 * 24 * 100 * 2048


@pytest.mark.parametrize(
    ("lower", "part"),
    [
        ({"gradient_checkpointing": True}, "activations"),
        ({"batch_tokens": 2048, "learnt_tokens": 512}, "activations"),
        ({"learnt_tokens": 512}, "logits"),
        ({"trained": 20_000_000}, "what is trained and its optimizer"),
        ({"shards": 8}, "weights"),
    ],
)
def test_what_is_lowered_takes_less(lower: dict[str, Any], part: str) -> None:
    before = tuning(of(QWEN3_8B), gradient_checkpointing=False)
    after = tuning(of(QWEN3_8B), **({"gradient_checkpointing": False} | lower))
    assert after.parts[part] <= before.parts[part] / 2
    assert after.total < before.total


def test_attention_without_a_mask_takes_less() -> None:
    plain, fused, maskless = (tuning(of(QWEN3_8B, attention=how)) for how in ("eager", None, "flash_attention_2"))
    assert plain.total > fused.total > maskless.total


def test_it_is_said_in_a_sentence() -> None:
    memory = Memory("Qwen/Qwen3-8B", {"weights": 16_381_000_000, "cache": 140_000_000}, ("choose another",))
    assert memory.sentence() == "Qwen/Qwen3-8B needs about 16.5 GB: weights 16.4, cache 0.1"
    room = Room("cuda", 80_000_000_000, 78_240_000_000)
    assert memory.sentence(room).endswith("cache 0.1; cuda has 80.0 GB, 78.2 free")


def test_what_will_not_fit_is_remarked_on_with_what_to_lower() -> None:
    memory = tuning(of(QWEN3_8B), gradient_checkpointing=False)
    assert memory.remark(None) is None
    assert memory.remark(Room("cuda", 10**12, 2 * memory.total)) is None
    remark = memory.remark(Room("cuda", 10**12, memory.total)) or ""
    assert "base_llm.tuning.gradient_checkpointing=true" in remark
    assert "base_llm.tuning.batch_tokens (now 4,096)" in remark
    assert "base_llm.load_in_4bit=true" in remark
    assert "load_in_4bit" not in " ".join(tuning(of(QWEN3_8B, load_in_4bit=True)).lower)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_it_is_about_what_a_model_takes() -> None:
    layers, tokens = 8, 512
    # With every large block given back as soon as it is free, the peak is what was held at once.
    run = subprocess.run(
        [sys.executable, "-m", "tests.base_llm.peak", str(layers), str(tokens)],
        cwd=REPOSITORY, env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}, stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    took = {kind: int(size) for kind, size in map(str.split, run.stdout.splitlines())}
    assert set(took) == set(KINDS)
    model = described(layers)
    weights = adapted(LlamaForCausalLM(model.config)).parameters()
    trained = sum(each.numel() for each in weights if each.requires_grad)
    for kind in KINDS:
        if kind == "ask":
            memory = asking_memory(model, batch=BATCH, tokens=tokens)
        else:
            memory = tuning_memory(
                model, trained=trained, batch_tokens=tokens, learnt_tokens=tokens // 4,
                gradient_checkpointing=kind == "checkpointed",
            )  # fmt: skip
        own = memory.total - memory.parts["weights"]
        assert 0.7 < own / (took[kind] - memory.parts["weights"]) < 1.5, (kind, took, memory)


def linux(root: Path, **files: str) -> Path:
    for name, content in files.items():
        file = root / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


MEMINFO = {"proc__meminfo": "MemTotal: 2000 kB\nMemFree: 5 kB\nMemAvailable: 1000 kB\n"}


def test_the_cpus_memory_is_what_the_system_tells(tmp_path: Path) -> None:
    assert room_of(torch.device("cpu"), root=tmp_path) is None
    assert room_of(torch.device("cpu"), root=linux(tmp_path, **MEMINFO)) == Room("cpu", 2_048_000, 1_024_000)


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    second = linux(
        tmp_path / "2", **MEMINFO, proc__self__cgroup="0::/own/part\n", sys__fs__cgroup__own__memory_dot_max="900000\n",
        sys__fs__cgroup__own__memory_dot_current="500000\n",
        sys__fs__cgroup__own__memory_dot_stat="inactive_file 100000\n",
        sys__fs__cgroup__own__part__memory_dot_max="max\n", sys__fs__cgroup__own__part__memory_dot_stat="",
    )  # fmt: skip
    assert room_of(torch.device("cpu"), root=second) == Room("cpu", 900_000, 500_000)
    own = "sys__fs__cgroup__memory__"
    first = linux(
        tmp_path / "1", **MEMINFO, proc__self__cgroup="9:cpu:/other\n7:memory:/\n",
        **{f"{own}memory_dot_limit_in_bytes": "900000\n", f"{own}memory_dot_usage_in_bytes": "500000\n",
           f"{own}memory_dot_stat": "total_inactive_file 1\n"},
    )  # fmt: skip
    assert room_of(torch.device("cpu"), root=first) == Room("cpu", 900_000, 400_001)
