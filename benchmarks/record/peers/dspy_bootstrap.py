"""DSPy's BootstrapFewShot at its defaults, on the model behind `transformers serve` on loopback.

    python -m benchmarks.record.peers.dspy_bootstrap JOB ANSWERS

A signature with the task's instruction; labels as a `Literal`. Train rows that the clock leaves no
time to try are not bootstrapped. An answer that DSPy cannot parse is an empty one.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import dspy
from dspy.utils.exceptions import AdapterParseError

from benchmarks.record.peers.job import Clock, Job, answer

AT_ONCE = 4
TEMPERATURE = 0.0


@contextmanager
def served(model: str) -> Iterator[str]:
    """The model's address while it is served."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "transformers"), "serve", model]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        else:
            raise SystemExit("the server did not start")
        yield f"{address}/v1"
    finally:
        server.terminate()
        server.wait()


class Program(dspy.Module):
    """A predictor, a text in and an answer out, that fails once the time of a clock is over."""

    def __init__(self, job: Job, clock: Clock) -> None:
        super().__init__()
        kind: Any = Literal[job.labels] if job.labels else str
        fields = {"text": (str, dspy.InputField()), "answer": (kind, dspy.OutputField())}
        self.ask = dspy.Predict(dspy.Signature(fields, job.instruction))
        self.clock: Clock | None = clock

    def forward(self, text: str) -> Any:
        if self.clock is not None and self.clock.over:
            raise TimeoutError("no time is left to try another row")
        return self.ask(text=text)


def right(example: Any, found: Any, trace: Any = None) -> bool:
    """Case and spaces do not count."""
    return _folded(str(found.answer)) == _folded(str(example.answer))


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def main() -> None:
    """Compile and answer."""
    job = Job.read(Path(sys.argv[1]))
    with served(job.model) as address:
        clock = Clock(job.seconds)
        dspy.configure_cache(enable_disk_cache=False)
        dspy.configure(
            lm=dspy.LM(
                f"openai/{job.model}",
                api_base=address,
                api_key="none",
                temperature=TEMPERATURE,
                max_tokens=256,
            )
        )

        rows = [
            dspy.Example(text=text, answer=said).with_inputs("text") for text, said in job.train
        ]
        maker = dspy.BootstrapFewShot(metric=right, max_errors=10**6)
        compiled = maker.compile(Program(job, clock), trainset=rows)
        compiled.clock = None
        made = clock.gone

        def ask(text: str) -> str:
            try:
                return str(compiled(text=text).answer)
            except AdapterParseError:
                return ""

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(ask, job.held_out))
    shown = len(compiled.ask.demos)
    lost = answers.count("")
    answer(Path(sys.argv[2]), answers, made=made, all=clock.gone, shown=shown, unparsed=lost)


if __name__ == "__main__":
    main()
