#!/usr/bin/env bash
# Makes the Python environment (.venv at the repository's root) if there is none, or if what it needs has changed.
# Sourced by the other scripts: `prepare_environment EXTRA` leaves the path of its python in $PYTHON.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed, and none was found: install it and run this again." >&2
    exit 1
}

prepare_environment() {
    local extra="$1" venv="$root/.venv" wanted marker python
    wanted="$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)"
    marker="$venv/installed-$extra"
    PYTHON="$venv/bin/python"
    if [[ -x "$PYTHON" && "$(cat "$marker" 2>/dev/null)" == "$wanted" ]]; then
        return
    fi
    echo "Installing kazu_distill[$extra] into $venv; the first time this takes a few minutes …"
    if [[ ! -x "$PYTHON" ]]; then
        python="$(find_python)"
        "$python" -m venv "$venv"
    fi
    "$PYTHON" -m pip install --quiet --disable-pip-version-check -c "$root/constraints.txt" -e "$root[$extra]"
    echo "$wanted" >"$marker"
}
