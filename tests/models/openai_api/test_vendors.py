"""Names to addresses and keys."""

from __future__ import annotations

import pytest

from accordeur.core.errors import ModelError
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.models.source import is_endpoint, resolve


def test_every_vendor_has_an_address_and_a_variable() -> None:
    for name, vendor in VENDORS.items():
        found = endpoint(vendor, environment={vendor.key_variable: "verysecret"})
        assert found.base_url.startswith(("https://", "http://localhost:"))
        assert not found.base_url.endswith("/")
        assert found.local == (not vendor.needs_key), name
        assert found.key == "verysecret"
        assert "secret" not in repr(found)


def test_flag_before_environment_before_vendor() -> None:
    vendor = VENDORS["openai"]
    known = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1/", "OPENAI_API_KEY": "k"}
    assert endpoint(vendor, "http://localhost:1/v1", known).base_url == "http://localhost:1/v1"
    assert endpoint(vendor, None, known).base_url == "http://127.0.0.1:9/v1"
    assert endpoint(vendor, None, {"OPENAI_API_KEY": "k"}).base_url == vendor.base_url
    assert endpoint(vendor, None, known).vendor.limit_field == "max_tokens"
    assert endpoint(vendor, None, {"OPENAI_API_KEY": "k"}).vendor.limit_field != "max_tokens"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "v1"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ModelError, match="is no base URL"):
        endpoint(VENDORS["vllm"], url, {})


def test_keys() -> None:
    with pytest.raises(ModelError, match="GROQ_API_KEY is not set") as caught:
        endpoint(VENDORS["groq"], None, {})
    assert caught.value.hint == "export GROQ_API_KEY=..."
    with pytest.raises(ModelError, match="no key has") as caught:
        endpoint(VENDORS["groq"], None, {"GROQ_API_KEY": "a b"})
    assert "a b" not in str(caught.value)
    assert endpoint(VENDORS["ollama"], None, {}).key == ""


@pytest.mark.parametrize(
    ("name", "resolved"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai:gpt-4o", "openai/gpt-4o"),
        ("ollama:llama3:8b", "ollama/llama3:8b"),
        ("ollama/llama3:8b", "ollama/llama3:8b"),
        ("openrouter/meta-llama/llama-3-8b", "openrouter/meta-llama/llama-3-8b"),
    ],
)
def test_names(name: str, resolved: str) -> None:
    assert resolve(name) == resolved
    assert is_endpoint(name)
    assert not is_endpoint("local/smollm2")
    assert not is_endpoint("none")
    with pytest.raises(ModelError):
        resolve("openai/")
