"""Chat templates in the forms that families of models have, written for these tests.

The marks around turns are those of the families; the templates leave out what does not matter here, such as tools.
"""

from __future__ import annotations

from collections.abc import Mapping

_TURNS = "{%- for m in messages -%}"
_END = "{%- endfor -%}"

TEMPLATES: Mapping[str, str] = {
    # A header for each role, the date of the day in the system's message.
    "llama": (
        "{{ bos_token }}{%- if date_string is not defined -%}{%- set date_string = strftime_now('%d %b %Y') -%}"
        "{%- endif -%}" + _TURNS + "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' }}"
        "{%- if m['role'] == 'system' -%}{{ 'Today: ' + date_string + '\n\n' }}{%- endif -%}"
        "{{ m['content'] | trim }}<|eot_id|>"
        + _END
        + "{%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif -%}"
    ),
    # Instructions stand before the last question alone, and turns must alternate.
    "mistral": (
        "{%- if messages[0]['role'] == 'system' -%}{%- set system = messages[0]['content'] -%}"
        "{%- set messages = messages[1:] -%}{%- endif -%}{{ bos_token }}"
        + _TURNS
        + "{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('roles must alternate') }}"
        "{%- endif -%}"
        "{%- if m['role'] == 'user' -%}{{ '[INST] ' }}"
        "{%- if loop.last and system is defined -%}{{ system + '\n\n' }}{%- endif -%}{{ m['content'] + ' [/INST]' }}"
        "{%- else -%}{{ ' ' + m['content'] | trim + eos_token }}{%- endif -%}" + _END
    ),
    # A line break behind each turn, thoughts that are taken out of answers, an empty thought where thinking is off.
    "qwen": (
        _TURNS + "{{ '<|im_start|>' + m['role'] + '\n' }}"
        "{%- if m['role'] == 'assistant' and '</think>' in m['content'] -%}{{ m['content'].split('</think>')[-1] }}"
        "{%- else -%}{{ m['content'] }}{%- endif -%}{{ '<|im_end|>\n' }}"
        + _END
        + "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}"
        "{%- if enable_thinking is defined and enable_thinking is false -%}{{ '<think>\n\n</think>\n\n' }}{%- endif -%}"
        "{%- endif -%}"
    ),
    # No message of the system's, and the assistant is called model.
    "gemma": (
        "{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('System role not supported') }}"
        "{%- endif -%}" + _TURNS + "{%- set role = 'model' if m['role'] == 'assistant' else m['role'] -%}"
        "{{ '<start_of_turn>' + role + '\n' + m['content'] | trim + '<end_of_turn>\n' }}"
        + _END
        + "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}"
    ),
    # Behind the whole conversation another token than behind a turn.
    "phi": (
        _TURNS
        + "{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}"
        + _END
        + "{%- if add_generation_prompt -%}{{ '<|assistant|>\n' }}{%- else -%}{{ eos_token }}{%- endif -%}"
    ),
    # What the system says is forgotten, without an error.
    "forgetful": (
        _TURNS
        + "{%- if m['role'] == 'user' -%}{{ 'USER: ' + m['content'] + '\n' }}{%- elif m['role'] == 'assistant' -%}"
        "{{ 'ASSISTANT: ' + m['content'] + eos_token }}{%- endif -%}"
        + _END
        + "{%- if add_generation_prompt -%}{{ 'ASSISTANT: ' }}{%- endif -%}"
    ),
}

MARKS: Mapping[str, tuple[str, ...]] = {
    "llama": ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "mistral": ("[INST]", "[/INST]"),
    "qwen": ("<|im_start|>", "<|im_end|>", "<think>", "</think>"),
    "gemma": ("<start_of_turn>", "<end_of_turn>"),
    "phi": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "forgetful": (),
}
"""The special tokens of each."""
ENDS: Mapping[str, str] = {
    "llama": "<|eot_id|>", "mistral": "</s>", "qwen": "<|im_end|>", "gemma": "<end_of_turn>", "phi": "<|end|>",
    "forgetful": "</s>",
}  # fmt: skip
"""The token that ends an answer in each."""
