#!/usr/bin/env bash
# The whole job, offline, on the sample corpus that ships with the project: annotate, split, train, evaluate, predict.
#
#   bash scripts/demo.sh [FOLDER]      results go to FOLDER (default: runs/demo)
#
# The LLM's answers come out of scripts/demo/answers.jsonl, so no key is needed. If LABEL_STUDIO_API_KEY is set, the
# predictions are also pushed to Label Studio (see scripts/label_studio.sh).
set -euo pipefail

if [[ "${1:-}" == "--help" || "${1:-}" == "-h" ]]; then
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit
fi

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
prepare_environment minilm
out="$(realpath -m "${1:-$root/runs/demo}")"
cd "$root"
started=$SECONDS

label_studio=off
if [[ -n "${LABEL_STUDIO_API_KEY:-}" ]]; then label_studio=server; fi

stage() {
    echo
    echo "── $*"
    local name="$1"
    shift
    HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false "$PYTHON" -m "kazu_distill.$name" "$@"
}

stage annotate corpus=jsonl corpus.path=scripts/demo/documents.jsonl \
    llm=local llm.model=written-for-the-demo llm.offline=true \
    store.import_from=scripts/demo/answers.jsonl "out=$out/annotate"
stage evaluate gold.path=scripts/demo/gold.jsonl "predicted.path=$out/annotate/documents.jsonl" "out=$out/llm_against_gold"
stage split "corpus.path=$out/annotate/documents.jsonl" eval=12 test=14 "out=$out/split"
stage train --config-path conf encoder=minilm "label_studio=$label_studio" "data=$out/split" "out=$out/train" \
    trainer.batch_tokens=2048
stage evaluate "model=$out/train/model" "gold.path=$out/split/test.jsonl" "out=$out/evaluate"
stage predict "model=$out/train/model" corpus=jsonl corpus.path=scripts/demo/documents.jsonl "out=$out/predict"

cat <<EOF

The demo took $((SECONDS - started)) s. What lies where:
  $out/annotate/documents.jsonl       the LLM's labels, grounded and cleaned; report.json says what was found and dropped
  $out/llm_against_gold/metrics.json  those labels against the gold that was written with the corpus
  $out/split                          train.jsonl, eval.jsonl, test.jsonl
  $out/train/model                    the small tagger
  $out/evaluate/report.html           its precision, recall and F1 per class on the test documents (the table above), and
                                      every mistake; metrics.json: the figures alone
  $out/predict/documents.jsonl        its labels for every document
EOF
