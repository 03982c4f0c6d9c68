"""The ways a call to an endpoint goes wrong, each with what to do about it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import httpx


class Kind(StrEnum):
    """What went wrong."""

    CONNECTION = "connection"
    TIMEOUT = "timeout"
    RATE_LIMIT = "rate limit"
    SERVER = "server error"
    CUT = "cut off"
    NOT_JSON = "not JSON"
    MALFORMED = "malformed answer"
    CONTENT_FILTER = "content filter"
    KEY = "key refused"
    MODEL = "no such model"
    QUOTA = "quota used up"
    TOO_LONG = "too long"
    REFUSED = "request refused"
    SPENT = "budget used up"


PASSING = frozenset(
    {
        Kind.CONNECTION,
        Kind.TIMEOUT,
        Kind.RATE_LIMIT,
        Kind.SERVER,
        Kind.CUT,
        Kind.NOT_JSON,
        Kind.MALFORMED,
    }
)
"""Worth asking again."""

FINAL = frozenset({Kind.KEY, Kind.MODEL, Kind.QUOTA, Kind.SPENT})
"""No other call would fare better: the run stops, and goes on later."""

_HINTS = {
    Kind.CONNECTION: "is the server running? check --base-url",
    Kind.TIMEOUT: "fewer at once: -j 4",
    Kind.RATE_LIMIT: "fewer at once: -j 4, or later; the same command goes on",
    Kind.SERVER: "the same command goes on where it stopped",
    Kind.CUT: "the same command goes on where it stopped",
    Kind.NOT_JSON: "is this an OpenAI-compatible endpoint? check --base-url, often it ends in /v1",
    Kind.MALFORMED: "is this an OpenAI-compatible endpoint? check --base-url",
    Kind.CONTENT_FILTER: "the vendor's filter refuses this text; leave the row out",
    Kind.KEY: "check the key in {variable}",
    Kind.MODEL: "check --base-url, often it ends in /v1; accordeur models list {vendor}",
    Kind.QUOTA: "add credit, or choose another endpoint; the same command goes on",
    Kind.TOO_LONG: "shorter rows or fewer demonstrations",
    Kind.SPENT: "the same command with a larger limit goes on where it stopped",
    Kind.REFUSED: "read what it says; --base-url or the model's name may be wrong",
}

_TOO_LONG = (
    "context_length",
    "context length",
    "context size",
    "maximum context",
    "prompt is too long",
    "input token count",
)
_FILTERED = (
    "content_filter",
    "content_policy",
    "content management",
    "moderation",
    "flagged",
)
_FIELDS = ("logprobs", "temperature", "top_p", "seed", "max_tokens")
"""A 403 that speaks of one of these refuses a field, not the key."""

_LONGEST = 300
_READ = 64 * 2**10
"""Letters of an error's body that are looked at."""
_KEYS = re.compile(r"\b(?:(?:sk|pk|gsk|xai|fw|Bearer)[-_ ]|AIza)[A-Za-z0-9*._-]{4,}")


class Failure(Exception):
    """A call that gave no answer.

    Attributes:
        kind: what went wrong.
        message: in the endpoint's words where it has any, without what looks like a key.
        wait: seconds the endpoint asked for before the next call.
        status: of HTTP; 0 where there was none.
    """

    def __init__(
        self, kind: Kind, message: str, *, wait: float | None = None, status: int = 0
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = _plain(message) or kind.value
        self.wait = wait
        self.status = status

    def without(self, secret: str) -> Failure:
        """The same, this secret blotted out."""
        if secret and len(secret) > 3:
            self.message = self.message.replace(secret, "[key]")
        return self

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.message}"

    @classmethod
    def read(cls, told: str) -> Failure:
        """Inverse of `str`, as far as it goes: how a row tells it."""
        kind, _, message = told.partition(": ")
        known = kind in list(Kind)
        return cls(Kind(kind), message) if known else cls(Kind.SERVER, told)

    @property
    def passing(self) -> bool:
        """Whether asking again may help."""
        return self.kind in PASSING

    def hint(self, vendor: str, variable: str) -> str:
        """What to do, as words or a command."""
        return _HINTS[self.kind].format(vendor=vendor, variable=variable)


def from_response(status: int, headers: Mapping[str, str], body: str) -> Failure:
    """The failure behind a response that is no success."""
    body = body[:_READ]
    message, code = _told(_json(body))
    message = message or _page_title(body) or f"HTTP {status}"
    return Failure(_kind(status, code, message), message, wait=wait_of(headers), status=status)


def from_answer(data: Mapping[str, Any]) -> Failure | None:
    """The failure inside a response that calls itself a success: some vendors send those."""
    if "error" not in data or data.get("choices"):
        return None
    message, code = _told(data)
    status = int(code) if code.isdecimal() and code.isascii() and len(code) == 3 else 500
    return Failure(_kind(status, code, message), message or "an error without a message")


def from_exception(error: httpx.HTTPError) -> Failure:
    """The failure behind an exception of the transport."""
    said = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout):
        return Failure(Kind.CONNECTION, "nobody takes the connection")
    if isinstance(error, httpx.TimeoutException):
        return Failure(Kind.TIMEOUT, f"no answer in time ({type(error).__name__})")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return Failure(Kind.CUT, f"the connection was cut: {said}")
    if isinstance(error, httpx.DecodingError):
        return Failure(Kind.MALFORMED, f"the answer's compression is broken: {said}")
    return Failure(Kind.CONNECTION, said)


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds of `retry-after-ms` or `retry-after`, a number or a date (RFC 9110, 10.2.3)."""
    found = {name.lower(): value for name, value in headers.items()}
    try:
        if "retry-after-ms" in found:
            told = float(found["retry-after-ms"]) / 1000
            return max(0.0, told) if math.isfinite(told) else None
        after = found.get("retry-after")
        if after is None:
            return None
        if re.fullmatch(r"\s*[0-9]{1,9}(\.[0-9]+)?\s*", after):
            return float(after)
        from datetime import UTC, datetime

        return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _kind(status: int, code: str, message: str) -> Kind:
    told = f"{code} {message}".lower()
    if "insufficient_quota" in told or status == 402:
        return Kind.QUOTA
    if status == 401:
        return Kind.KEY
    if status == 404:
        return Kind.MODEL
    if status in (408, 504):
        return Kind.TIMEOUT
    if status == 429:
        return Kind.RATE_LIMIT
    if status >= 500 or status in (409, 425):
        return Kind.SERVER
    if any(word in told for word in _TOO_LONG):
        return Kind.TOO_LONG
    if any(word in told for word in _FILTERED):
        return Kind.CONTENT_FILTER
    if status == 403 and not any(word in told for word in _FIELDS):
        return Kind.KEY
    return Kind.REFUSED


def _told(data: Any) -> tuple[str, str]:
    """Message and code of the forms that vendors send errors in."""
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, Mapping):
        return "", ""
    error = data.get("error", data)
    if isinstance(error, str):
        return error, ""
    if not isinstance(error, Mapping):
        return "", ""
    message = error.get("message") or error.get("detail") or ""
    code = error.get("code") or error.get("type") or ""
    return str(message), str(code)


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _page_title(body: str) -> str:
    folded = body.lower()
    start = folded.find(">", folded.find("<title"))
    end = folded.find("</title", start)
    if "<title" in folded and 0 <= start < end:
        return f"a web page, `{body[start + 1 : end].strip()}`"
    return body.strip()


def _plain(message: str) -> str:
    """One line, no control characters, no keys, not longer than people read."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in message).split())
    line = _KEYS.sub("[key]", line)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
