#!/usr/bin/env bash
# All checks: style, types, layers and tests. Further arguments go to pytest, e.g. bash scripts/test.sh -m "not slow".
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
prepare_environment dev
cd "$root"
# Tests read no model hub and send no telemetry.
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m mypy
"$root/.venv/bin/lint-imports"
"$PYTHON" -m pytest "$@"
