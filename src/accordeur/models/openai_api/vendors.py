"""Who speaks the OpenAI wire: base URL, key variable, and what is peculiar.

Any other server is `openai/NAME` with `--base-url`. Addresses are those of the vendors' own pages
on their OpenAI-compatible endpoints, read in November 2026.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from accordeur.core.errors import ModelError


@dataclass(frozen=True, slots=True)
class Vendor:
    """An endpoint by name.

    Attributes:
        base_url: where `/chat/completions` is appended.
        key_variable: environment variable of the API key.
        needs_key: refuse to call without one.
        limit_field: what the limit of new tokens is called.
        without: optional fields that this endpoint refuses or ignores: they are not sent.
        url_variables: environment variables that replace the base URL.
    """

    name: str
    base_url: str
    key_variable: str
    needs_key: bool = True
    limit_field: str = "max_tokens"
    without: frozenset[str] = frozenset()
    url_variables: tuple[str, ...] = ()


def _vendors() -> Mapping[str, Vendor]:
    def here(name: str, port: int, key: str = "") -> Vendor:
        url = f"http://localhost:{port}/v1"
        variable = f"{name.upper()}_BASE_URL"
        return Vendor(
            name,
            url,
            key or f"{name.upper()}_API_KEY",
            needs_key=False,
            url_variables=(variable,),
        )

    def hosted(name: str, url: str, **peculiar: object) -> Vendor:
        upper = name.upper()
        return Vendor(
            name,
            url,
            f"{upper}_API_KEY",
            url_variables=(f"{upper}_BASE_URL",),
            **peculiar,  # type: ignore[arg-type]
        )

    known = (
        hosted(
            "openai",
            "https://api.openai.com/v1",
            limit_field="max_completion_tokens",
        ),
        hosted(
            "anthropic",
            "https://api.anthropic.com/v1",
            without=frozenset({"seed", "logprobs"}),
        ),
        hosted(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            without=frozenset({"seed", "logprobs"}),
        ),
        hosted("mistral", "https://api.mistral.ai/v1", without=frozenset({"seed", "logprobs"})),
        hosted("openrouter", "https://openrouter.ai/api/v1"),
        hosted("groq", "https://api.groq.com/openai/v1", without=frozenset({"logprobs"})),
        hosted("together", "https://api.together.xyz/v1"),
        hosted("fireworks", "https://api.fireworks.ai/inference/v1"),
        hosted("deepseek", "https://api.deepseek.com/v1"),
        hosted("xai", "https://api.x.ai/v1"),
        here("ollama", 11434),
        here("vllm", 8000),
        here("llamacpp", 8080),
        here("lmstudio", 1234),
    )
    return {one.name: one for one in known}


VENDORS: Mapping[str, Vendor] = _vendors()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where calls go, and with what key.

    Attributes:
        base_url: without a slash at its end and without a password.
        key: empty where none is needed. It never leaves this object but in a request's header.
    """

    vendor: Vendor
    base_url: str
    key: str

    def __repr__(self) -> str:
        return f"Endpoint({self.vendor.name}, {self.base_url})"

    @property
    def root(self) -> str:
        """Where what does not lie under `/v1` is asked for."""
        return self.base_url.removesuffix("/v1")

    @property
    def hosted(self) -> bool:
        """Whether it is a vendor's own address, of which more is known than of a server."""
        return self.vendor.needs_key and self.base_url == VENDORS[self.vendor.name].base_url

    @property
    def local(self) -> bool:
        """Whether it runs on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")
        return address.is_loopback or address.is_unspecified


def endpoint(
    vendor: Vendor, base_url: str | None = None, environment: Mapping[str, str] | None = None
) -> Endpoint:
    """The endpoint of a vendor, as flag and environment say.

    Args:
        base_url: replaces the vendor's own; a server of one's own needs no key.
        environment: variables; those of the process by default.

    Raises:
        ModelError: no key where one is needed, or an address that is none.
    """
    known = os.environ if environment is None else environment
    url = base_url or next((known[name] for name in vendor.url_variables if known.get(name)), "")
    own = bool(url)
    url = url or vendor.base_url
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ModelError(f"`{url}` is no base URL.", hint="--base-url http://127.0.0.1:8000/v1")
    if parts.query or parts.fragment:
        raise ModelError(
            "A base URL ends with a path: what stands behind `?` or `#` would end up in runs.",
            hint=f"put a key into {vendor.key_variable}",
        )
    if parts.username or parts.password:
        raise ModelError(
            "A base URL with a password in it would end up in runs and reports.",
            hint=f"put the key into {vendor.key_variable}",
        )
    key = known.get(vendor.key_variable, "").strip()
    if not key and vendor.needs_key and not own:
        raise ModelError(
            f"`{vendor.name}` needs a key, and {vendor.key_variable} is not set.",
            hint=f"export {vendor.key_variable}=...",
        )
    if not key.isascii() or any(sign.isspace() for sign in key):
        raise ModelError(
            f"{vendor.key_variable} holds characters that no key has.",
            hint=f"export {vendor.key_variable}=... without spaces or quotes",
        )
    clean = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    if own:  # other servers know the older name, too
        vendor = replace(vendor, limit_field="max_tokens")
    return Endpoint(vendor, clean, key)
