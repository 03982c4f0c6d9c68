"""What answers behind a name: system fingerprints, and fields that are left out."""

from __future__ import annotations

from accordeur.core.model import Sampling
from accordeur.testing.endpoint import ScriptedEndpoint

from .test_faults import model, prompts


def test_another_fingerprint_is_told_once() -> None:
    told: list[str] = []
    with ScriptedEndpoint(fingerprint="fp_one") as server:
        first = model(server, log=told.append)
        list(first.generate(prompts(5), Sampling(max_tokens=20)))
        assert (first.fingerprints, told) == ({"fp_one": 5}, [])
        server.fingerprint = "fp_two"
        second = model(server, log=told.append)
        list(second.generate(prompts(5), Sampling(max_tokens=20)))
        list(model(server, log=told.append).generate(prompts(1), Sampling(max_tokens=20)))
        assert len(told) == 1
        assert "`fp_two`; before it was `fp_one`" in told[0]
        server.fingerprint = "fp_one"
        list(model(server, log=told.append).generate(prompts(1), Sampling(max_tokens=20)))
        assert len(told) == 1, "vendors answer with several at once"


def test_fields_that_are_left_out_make_another_identity() -> None:
    with ScriptedEndpoint() as server, ScriptedEndpoint(refuses=["temperature"]) as other:
        engines = []
        for one in (server, other):
            asked = model(one)
            asked.check()
            engines.append(asked.identity.engine)
    assert engines[0].endswith("/v1")
    assert engines[1].endswith("/v1 without:temperature")
