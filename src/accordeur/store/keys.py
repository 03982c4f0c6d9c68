"""API keys of the server: shown once, kept as hashes in `keys.json` of the configuration folder.

A key is 256 random bits, so a plain SHA-256 of it can neither be guessed back nor found in a table;
slow hashes are for what people choose.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from accordeur.core.errors import StoreError, UsageError
from accordeur.core.paths import config_folder
from accordeur.store.durable import disk_errors, write_atomic
from accordeur.store.file_lock import FileLock

PREFIX = "ac-"


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What is kept of a key.

    Attributes:
        sha256: its hash.
        added: the day it was made, `2026-11-22`.
    """

    sha256: str
    added: str


def hashed(key: str) -> str:
    """The hash that is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def keys_file() -> Path:
    """Where they lie."""
    return config_folder() / "keys.json"


def read_keys() -> dict[str, KeptKey]:
    """The keys by name.

    Raises:
        StoreError: the file cannot be read.
    """
    place = keys_file()
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        return {
            str(name): KeptKey(str(one["sha256"]), str(one["added"])) for name, one in data.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"`{place}` cannot be read.",
            hint="move it away and make new keys: accordeur keys add NAME",
        ) from error


def add_key(name: str) -> str:
    """A new key. It is returned and kept nowhere; its hash is.

    Raises:
        UsageError: the name is taken.
        StoreError: the file cannot be read or written.
    """
    with _alone():
        known = read_keys()
        if name in known:
            raise UsageError(
                f"There is a key named `{name}`.", hint=f"accordeur keys rm {name}, or another name"
            )
        key = PREFIX + secrets.token_urlsafe(32)
        today = datetime.now(UTC).date().isoformat()
        _write({**known, name: KeptKey(hashed(key), today)})
    return key


def remove_key(name: str) -> None:
    """Forget a key.

    Raises:
        UsageError: there is none of this name.
        StoreError: the file cannot be read or written.
    """
    with _alone():
        known = read_keys()
        if known.pop(name, None) is None:
            raise UsageError(f"There is no key named `{name}`.", hint="accordeur keys list")
        _write(known)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time reads and writes.

    Raises:
        StoreError: another one does not end.
    """
    place = keys_file()
    with disk_errors(place, "The keys made before are kept."):
        place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_name(f"{place.name}.lock"))
    if not lock.acquire(wait=10.0):
        raise StoreError(f"`{place}` is kept by {lock.holder()}.", hint="try again when it is done")
    try:
        yield
    finally:
        lock.release()


def _write(known: Mapping[str, KeptKey]) -> None:
    place = keys_file()
    data = {name: asdict(one) for name, one in known.items()}
    write_atomic(place, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
