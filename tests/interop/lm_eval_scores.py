"""Run by lm-evaluation-harness's own Python: what its client gets from a server, as JSON.

python lm_eval_scores.py URL MODEL TOKENIZER < requests.json
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    url, model, tokenizer = sys.argv[1:]
    asked = json.load(sys.stdin)
    client = LocalCompletionsAPI(
        base_url=f"{url}/v1/completions",
        model=model,
        tokenizer=tokenizer,
        tokenizer_backend="huggingface",
        num_concurrent=4,
        max_retries=1,
        max_length=1000,
    )

    def instances(kind: str, arguments: list[tuple[str, Any]]) -> list[Any]:
        return [Instance(kind, {}, one, at) for at, one in enumerate(arguments)]

    pairs = [(context, continuation) for context, continuation in asked["score"]]
    scores = client.loglikelihood(instances("loglikelihood", pairs))
    limits = [(text, {"until": [], "max_gen_toks": 8}) for text in asked["write"]]
    texts = client.generate_until(instances("generate_until", limits))
    print(json.dumps({"scores": scores, "texts": texts}))


main()
