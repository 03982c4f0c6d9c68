"""Which files the sources of an index hold, and a signature that says whether one was touched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from accordeur.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to index.

    Attributes:
        name: of the document, a relative POSIX path.
        path: where it lies.
        fault: why a folder could not be looked into, which is then told instead of its files.
    """

    name: str
    path: Path
    fault: str = ""


def check_sources(sources: Sequence[Path]) -> tuple[Path, ...]:
    """The sources as absolute paths, each once.

    Raises:
        UsageError: there is none, one is missing, or two would give their files the same names.
    """
    if not sources:
        raise UsageError(
            "Say which documents to index.", hint="accordeur index build NAME FOLDER_OR_FILE..."
        )
    found = tuple(dict.fromkeys(source.expanduser().resolve() for source in sources))
    for source in found:
        if not source.exists():
            raise UsageError(
                f"There is no file or folder `{source}`.",
                hint="accordeur index build NAME DOCS... says where the documents of an index are",
            )
    if len(found) > 1 and len({source.name for source in found}) < len(found):
        twice = next(s.name for s in found if [one.name for one in found].count(s.name) > 1)
        raise UsageError(
            f"Two sources are called `{twice}`; their documents could not be told apart.",
            hint="index the folder above them, or rename one",
        )
    return found


def scan(
    sources: Sequence[Path], exclude: Sequence[str], without: Path, *, several: bool | None = None
) -> Iterator[SourceFile]:
    """Every file of the sources, in the order of names.

    With one folder names count from it; with several sources they begin with the source's own name.
    Hidden files and folders are left out, and links are not followed, so that nothing outside of a
    source is read.

    Args:
        sources: absolute paths of files and folders.
        exclude: shell patterns of names to leave out; a pattern of a folder leaves out all in it.
        without: the index's own folder.
        several: whether names begin with their source's; where some sources are gone, as before.
    """
    named = len(sources) > 1 if several is None else several
    found: list[SourceFile] = []
    for source in sources:
        if source.is_dir():
            prefix = f"{_storable(source.name)}/" if named else ""
            found += _files(source, prefix, exclude, without.resolve())
        else:
            found.append(SourceFile(_storable(source.name), source))
    yield from sorted(found, key=lambda one: one.name)


def _files(folder: Path, prefix: str, exclude: Sequence[str], without: Path) -> list[SourceFile]:
    found: list[SourceFile] = []
    waiting = [(str(folder), prefix)]
    while waiting:
        place, before = waiting.pop()
        try:
            with os.scandir(place) as listing:
                entries = list(listing)
        except OSError as error:
            found.append(SourceFile(before, Path(place), error.strerror or str(error)))
            continue
        for entry in entries:
            name = before + _storable(entry.name)
            if entry.name.startswith(".") or left_out(name, exclude):
                continue
            if entry.is_dir(follow_symlinks=False):
                if Path(entry.path).resolve() != without:
                    waiting.append((entry.path, f"{name}/"))
            elif entry.is_file(follow_symlinks=False):
                found.append(SourceFile(name, Path(entry.path)))
    return found


def _storable(name: str) -> str:
    """A name that is no UTF-8 with its odd bytes spelled out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def left_out(name: str, exclude: Sequence[str]) -> bool:
    """Whether a pattern fits a name, or its last part."""
    last = name.rpartition("/")[2]
    return any(
        fnmatchcase(name, pattern.rstrip("/")) or fnmatchcase(last, pattern.rstrip("/"))
        for pattern in exclude
    )


def signature(status: os.stat_result) -> str:
    """Changes when a file is written, replaced or moved; times are those of the file system."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"
