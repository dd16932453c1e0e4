#!/usr/bin/env bash
# Make the Python environment in which AstraZeneca's Kazu runs, .venv-kazu at the repository's root, if there is none, or
# if constraints-kazu.txt has changed. Kazu needs transformers 4, so it cannot share ours. About 2 GB, a minute or more.
# The benchmarks take its python (--kazu-python .venv-kazu/bin/python); tests/kazu looks for it there.
set -euo pipefail

REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly REPOSITORY
readonly ENVIRONMENT="$REPOSITORY/.venv-kazu" CONSTRAINTS="$REPOSITORY/constraints-kazu.txt"
readonly MARKER="$ENVIRONMENT/kazu.installed"

say() { echo "kazu_environment.sh: $*"; }

cmp --silent "$CONSTRAINTS" "$MARKER" && exit
say "installing Kazu into $ENVIRONMENT …"
python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || {
  say "Python 3.11 or 3.12 is needed as python3: Kazu's spacy has wheels for no newer one" >&2
  exit 1
}
python3 -m venv --clear "$ENVIRONMENT"
"$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check -c "$CONSTRAINTS" \
  kazu google-cloud-aiplatform tensorboard
"$ENVIRONMENT/bin/python" -c 'import kazu.training.train_multilabel_ner'
cp "$CONSTRAINTS" "$MARKER"
say "installed; its python is $ENVIRONMENT/bin/python"
