#!/usr/bin/env bash
# Reproduces docs/RESULTS.md: real LLM answers over HTTP, through annotate, split, train and evaluate, on BC5CDR.
#
#   bash scripts/results_bc5cdr.sh DATA [FOLDER]
#
# DATA holds documents.jsonl (500 abstracts with human gold) and answers/{llama2-70b,mixtral,llama2-7b}.jsonl.
# Gold is read by `evaluate` alone, and by the training that is meant to see it. About 40 minutes on two cores.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
prepare_environment dev
data="$(realpath "$1")"
out="$(realpath -m "${2:-$root/runs/bc5cdr}")"
cd "$root"
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
mkdir -p "$out"
port=18765

stage() {
    local name="$1"
    shift
    "$PYTHON" -m "kazu_distill.$name" "$@"
}

for llm in llama2-70b mixtral llama2-7b; do
    "$PYTHON" scripts/bc5cdr_answers.py "$data/documents.jsonl" "$data/answers/$llm.jsonl" "$out/$llm.served.jsonl"
    "$PYTHON" -m tests.llm_server "$out/$llm.served.jsonl" --port "$port" &
    server=$!
    trap 'kill $server 2>/dev/null || true' EXIT
    until (echo >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.2; done
    stage annotate corpus=jsonl "corpus.path=$data/documents.jsonl" schema=bc5cdr \
        llm=local "llm.model=$llm" "llm.base_url=http://127.0.0.1:$port/v1" "out=$out/$llm/annotate"
    kill "$server"
    wait "$server" 2>/dev/null || true
    stage evaluate schema=bc5cdr "gold.path=$data/documents.jsonl" "predicted.path=$out/$llm/annotate/documents.jsonl" \
        "out=$out/$llm/labels_against_gold"
done

# What each setting of the grounding is worth; the answers are in the store by now.
for llm in llama2-70b mixtral llama2-7b; do
    for setting in occurrences=listed occurrences=all occurrences=document split_abbreviations=false inflected=true \
        glosses=true fuzzy=0.9 fuzzy=0.85; do
        stage annotate corpus=jsonl "corpus.path=$data/documents.jsonl" schema=bc5cdr llm=local "llm.model=$llm" \
            llm.offline=true "store.path=$out/$llm/annotate/answers.sqlite" "grounding.$setting" \
            "out=$out/$llm/grounding/${setting/=/_}/annotate"
        stage evaluate schema=bc5cdr "gold.path=$data/documents.jsonl" \
            "predicted.path=$out/$llm/grounding/${setting/=/_}/annotate/documents.jsonl" "out=$out/$llm/grounding/${setting/=/_}"
    done
done

# 100 documents are the test; of the other 400, 50 select the best model. The split sees the LLM's labels only.
stage split "corpus.path=$out/mixtral/annotate/documents.jsonl" eval=50 test=100 "out=$out/mixtral/split"
for llm in llama2-70b llama2-7b; do
    stage split "corpus.path=$out/$llm/annotate/documents.jsonl" "like=$out/mixtral/split" "out=$out/$llm/split"
done
stage split "corpus.path=$data/documents.jsonl" "like=$out/mixtral/split" "out=$out/gold/split"
for llm in llama2-70b mixtral llama2-7b; do
    stage evaluate schema=bc5cdr "gold.path=$out/gold/split/test.jsonl" "predicted.path=$out/$llm/split/test.jsonl" \
        "out=$out/$llm/labels_against_gold_of_test"
done

for teacher in mixtral gold llama2-70b llama2-7b; do
    stage train --config-path conf schema=bc5cdr encoder=minilm label_studio=off \
        trainer.arguments.num_train_epochs=10 "data=$out/$teacher/split" \
        "out=$out/$teacher/train"
    stage evaluate "model=$out/$teacher/train/model" "gold.path=$out/gold/split/test.jsonl" "out=$out/$teacher/evaluate"
done
