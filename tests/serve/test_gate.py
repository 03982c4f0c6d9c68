"""What a request must bring, and what happens when it does not."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from accordeur.serve.keys import KeyFile, Keys
from accordeur.serve.server import names_of
from accordeur.store.keys import add_key, hashed, keys_file

from .conftest import World, hold, world

ASKED = {"model": "majority", "messages": [{"role": "user", "content": "x"}]}
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def key() -> str:
    return f"ac-{secrets.token_urlsafe(8)}"


@pytest.fixture(scope="module")
def guarded(folders: dict[str, Path], tiny_folder: Path, key: str) -> Iterator[World]:
    settings = {"keys": Keys([hashed("another"), hashed(key)]), "body_bytes": 2_000}
    with world({"majority": folders["majority"]}, tiny_folder, **settings) as found:
        yield found


def message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", "Basic {key}", "Bearer {key}x"])
def test_without_a_known_key_nothing_is_told(guarded: World, key: str, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.format(key=key)}
    for answer in (
        guarded.http.post(CHAT, json=ASKED, headers=headers),
        guarded.http.get("/v1/models", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_known_key_is_let_in_and_health_needs_none(guarded: World, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    assert guarded.http.post(CHAT, json=ASKED, headers=headers).status_code == 200
    assert guarded.http.get("/health").json()["status"] == "ok"


def test_a_file_of_keys_that_breaks_leaves_them_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ACCORDEUR_CONFIG", str(tmp_path))
    key = add_key("ada")
    keys = KeyFile()
    keys_file().write_text("{", encoding="utf-8")
    assert keys.owner(key) is not None
    assert "stay" in caplog.text
    keys_file().unlink()
    assert keys.owner(key) is None
    assert keys.needed


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_is_too_large_is_refused_whatever_it_says_of_its_length(
    guarded: World, key: str, told: bool
) -> None:
    body = json.dumps(ASKED | {"user": "x" * 4_000}).encode()

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(body), 500):
            yield body[at : at + 500]

    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    content = body if told else pieces()
    answer = guarded.http.post(CHAT, content=content, headers=headers)
    assert answer.status_code == 413
    assert "2,000 bytes" in message(answer)


def test_a_page_of_another_origin_cannot_ask(folders: dict[str, Path], tiny_folder: Path) -> None:
    with world({"majority": folders["majority"]}, tiny_folder, hosts=names_of("127.0.0.1")) as own:
        body = json.dumps(ASKED)
        for kind in ("text/plain", "application/x-www-form-urlencoded", None):
            headers = {} if kind is None else {"Content-Type": kind}
            assert own.http.post(CHAT, content=body, headers=headers).status_code == 415
        foreign = {"Host": "evil.example", "Content-Type": "application/json"}
        assert own.http.post(CHAT, content=body, headers=foreign).status_code == 421
        for name in ("localhost:80", "127.0.0.1", "LOCALHOST", "[::1]:8000"):
            answer = own.http.post(CHAT, json=ASKED, headers={"Host": name})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "no JSON"),
        (b'{"model": "majority"}', "`messages`"),
        (b'{"model": "majority", "messages": []}', "`messages`"),
        (b'{"model": 1, "messages": [{"role": "user", "content": "x"}]}', "`model`"),
        (b'{"model": "majority", "messages": [{"role": "tool", "content": "x"}]}', "role"),
        (b'{"model": "majority", "messages": [{"role": "user", "content": null}]}', "content"),
        (b'{"model": "majority", "messages": [{"role": "assistant", "content": "x"}]}', "last"),
        (b'{"model": "majority", "messages": [{"role": "user", "content": "\\ud800"}]}', "no JSON"),
        (
            b'{"model": "tiny", "temperature": NaN, "messages": [{"role":"user","content":"x"}]}',
            "t",
        ),
    ],
)
def test_what_cannot_be_read_is_a_400_that_says_why(served: World, body: bytes, words: str) -> None:
    answer = served.http.post(CHAT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert words in message(answer)
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_paths_and_methods_that_are_not_there_are_errors_of_the_same_form(served: World) -> None:
    assert served.http.get("/nothing").json()["error"]["message"] == "Not Found"
    assert served.http.get(CHAT).status_code == 405


def test_who_does_not_find_a_place_is_told_when_to_come_again(
    folders: dict[str, Path], tiny_folder: Path
) -> None:
    with world({"texts": folders["texts"]}, tiny_folder, most=1) as narrow:
        asked = {**ASKED, "model": "texts"}
        go_on = hold(narrow.engine)
        with httpx.Client(base_url=narrow.url, timeout=1) as hasty:
            with pytest.raises(httpx.ReadTimeout):
                hasty.post(CHAT, json=asked)
            # Who left still holds the place until the engine hears of it.
            answer = hasty.post(CHAT, json=asked)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert "1 requests" in message(answer)
        go_on.set()
        deadline = time.monotonic() + 20
        while narrow.http.post(CHAT, json=asked).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
