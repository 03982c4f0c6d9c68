"""The other end of `isolated`: `python -m accordeur.documents.readers.worker READER NAME BYTES S`.

The file comes on stdin, a JSON object goes to stdout. Limits are set before anything is read.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from contextlib import suppress

from accordeur.core.errors import MissingDependency
from accordeur.documents.readers.unreadable import Unreadable

LONGEST = 100_000_000
"""Characters of a text."""


def main() -> None:
    """Read one file."""
    reader, name, memory, seconds = sys.argv[1:5]
    _limit(int(memory), int(seconds))
    try:
        answer = json.dumps(_read(reader, name))
    except Unreadable as error:
        answer = json.dumps({"unreadable": error.reason})
    except MissingDependency as error:
        answer = json.dumps({"unreadable": f"{error.message} {error.hint}", "lasting": False})
    except MemoryError:
        answer = json.dumps(
            {"unreadable": f"reading it needs more than {int(memory) // 2**20} MB of memory"}
        )
    except Exception as error:  # a fault of one file, whatever it is
        answer = json.dumps({"unreadable": f"reading it failed ({type(error).__name__}: {error})"})
    sys.stdout.buffer.write(answer.encode("ascii"))


def _read(reader: str, name: str) -> dict[str, object]:
    module = importlib.import_module(f"accordeur.documents.readers.{reader}")
    found = module.read(sys.stdin.buffer.read(), name)
    if len(found.text) > LONGEST:
        raise Unreadable(f"its text has more than {LONGEST:,} characters")
    return {
        "text": found.text,
        "body": found.body,
        "pages": found.pages,
        "headings": [[one.start, one.level, one.title] for one in found.headings],
        "metadata": dict(found.metadata),
        "notes": found.notes,
    }


def _limit(memory: int, seconds: int) -> None:
    """Less memory and time, no files written, no core left behind."""
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS knows no limit of address space
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
