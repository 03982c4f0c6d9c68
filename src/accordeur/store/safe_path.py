"""Names from people, data and bundles, kept inside their folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from accordeur.core.errors import StoreError
from accordeur.core.fingerprint import digest_bytes

_LONGEST = 180  # bytes; file systems allow 255, and suffixes need some
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789 =+,-_.()")


def file_name(text: str) -> str:
    """A file name for any text; different texts give different names.

    Lower case letters, digits and ` =+,-_.()` stand for themselves, every other byte of the UTF-8
    form is `%xx`, upper case letters among them, because some file systems do not tell `K` from
    `k`. Long names are cut and end in a hash.
    """
    data = text.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in data)
    if name.startswith((".", " ", "-")) or not name:
        name = f"%{data[0]:02x}{name[1:]}" if data else "%"
    if name.endswith((" ", ".")):
        name = f"{name[:-1]}%{data[-1]:02x}"
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 17]}~{digest_bytes(data)[:16]}"
    return name


def slug(text: str) -> str:
    """A short readable name of lower case letters, digits and dashes; texts may share one."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")[:60].rstrip("-._") or "run"


def inside(folder: Path, name: str) -> Path:
    """The path of a relative POSIX name within a folder, links followed.

    Raises:
        StoreError: the name is empty or absolute, has `..`, a backslash or a control character, is
            not in its shortest form, or a link on the way leads outside.
    """
    parts = PurePosixPath(name).parts
    bad = (
        not parts
        or name.startswith("/")
        or name != "/".join(parts)
        or ".." in parts
        or "\\" in name
        or any(ord(character) < 32 for character in name)
    )
    path = folder.joinpath(*parts) if not bad else folder
    if bad or not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(
            f"The path `{ascii(name)[1:-1]}` does not stay inside `{folder}`.",
            hint="use a relative path without `..`",
        )
    return path
