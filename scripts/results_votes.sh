#!/usr/bin/env bash
# Reproduces "Several opinions" in docs/RESULTS.md: three real LLMs label BC5CDR together, and students of their votes.
#
#   bash scripts/results_votes.sh DATA [FOLDER]
#
# DATA is that of results_bc5cdr.sh, and so are documents, split and test. Gold is read by `evaluate`, and by the
# student that is meant to see it. About half an hour on two cores.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
prepare_environment dev
data="$(realpath "$1")"
out="$(realpath -m "${2:-$root/runs/votes}")"
cd "$root"
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
mkdir -p "$out"
llms=(llama2-70b llama2-7b mixtral)

stage() {
    local name="$1"
    shift
    "$PYTHON" -m "kazu_distill.$name" "$@"
}

# Each LLM has its server, and each is asked once: later runs find the answers in the store.
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true' EXIT
panel=()
port=18765
for llm in "${llms[@]}"; do
    "$PYTHON" scripts/bc5cdr_answers.py "$data/documents.jsonl" "$data/answers/$llm.jsonl" "$out/$llm.served.jsonl"
    "$PYTHON" -m tests.llm_server "$out/$llm.served.jsonl" --port "$port" &
    servers+=($!)
    until (echo >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.2; done
    panel+=("+llm@llms.$llm=local" "llms.$llm.model=$llm" "llms.$llm.base_url=http://127.0.0.1:$port/v1")
    port=$((port + 1))
done

label() { # a folder's name, then the LLMs and what their votes need
    local name="$1"
    shift
    stage annotate corpus=jsonl "corpus.path=$data/documents.jsonl" schema=bc5cdr "store.path=$out/answers.sqlite" \
        "out=$out/$name/annotate" "$@"
}

label shares "${panel[@]}"
label two_of_three "${panel[@]}" votes.minimum=0.67
label all_three "${panel[@]}" votes.minimum=1
for number in "${!llms[@]}"; do
    llm="${llms[$number]}"
    label "$llm" llm=local "llm.model=$llm" "llm.base_url=http://127.0.0.1:$((18765 + number))/v1"
done
kill "${servers[@]}"
wait "${servers[@]}" 2>/dev/null || true
servers=()

# The split of results_bc5cdr.sh: made from mixtral's labels, 350 to train, 50 to select, 100 to test.
stage split "corpus.path=$out/mixtral/annotate/documents.jsonl" eval=50 test=100 "out=$out/mixtral/split"
for name in llama2-70b llama2-7b shares two_of_three all_three; do
    stage split "corpus.path=$out/$name/annotate/documents.jsonl" "like=$out/mixtral/split" "out=$out/$name/split"
done
stage split "corpus.path=$data/documents.jsonl" "like=$out/mixtral/split" "out=$out/gold/split"

for name in "${llms[@]}" shares two_of_three all_three; do
    stage evaluate schema=bc5cdr "gold.path=$data/documents.jsonl" "predicted.path=$out/$name/annotate/documents.jsonl" \
        "out=$out/$name/labels_against_gold"
    stage evaluate schema=bc5cdr "gold.path=$out/gold/split/test.jsonl" "predicted.path=$out/$name/split/test.jsonl" \
        "out=$out/$name/labels_against_gold_of_test"
done

for teacher in mixtral two_of_three shares gold; do
    stage train --config-path conf schema=bc5cdr encoder=minilm label_studio=off \
        trainer.arguments.num_train_epochs=8 "data=$out/$teacher/split" "out=$out/$teacher/train"
    stage evaluate "model=$out/$teacher/train/model" "gold.path=$out/gold/split/test.jsonl" "out=$out/$teacher/evaluate"
done

# All of them in one table. The answers are a test server's, so nothing is known of the LLMs' speed and cost.
systems="two of three: $out/two_of_three/annotate"
for llm in "${llms[@]}"; do systems+=", $llm: $out/$llm/annotate"; done
for teacher in mixtral two_of_three shares gold; do systems+=", tagger taught by $teacher: $out/$teacher/evaluate"; done
stage evaluate schema=bc5cdr "gold.path=$out/gold/split/test.jsonl" "systems={$systems}" "out=$out/systems"
