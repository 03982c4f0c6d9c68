"""Everything that can be reached from an object.

Follows whatever the garbage collector would (attributes, slots, items, cells of closures, the
object behind a bound method) and weak references besides. It stops at modules, and of functions
and classes takes what belongs to them (closure, defaults, attributes), not the globals they were
written among: through those everything reaches everything.
"""

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import numpy as np

_LEAVES = (str, bytes, bytearray, int, float, complex, type(None), ModuleType, CodeType)
_CACHED = type(lru_cache(lambda: None))
_IGNORED = {"__annotations__", "__builtins__", "__doc__", "__globals__", "__module__"}


def reachable(*roots: object) -> Iterator[object]:
    """Every object reachable from the roots, each once, the roots included.

    Of the roots themselves, properties are read too: what a property hands out is in reach.
    """
    seen: set[int] = set()
    kept: list[object] = []  # so that no id is used twice while we walk
    waiting = list(roots)
    for root in roots:
        waiting.extend(_handed_out(root))
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        kept.append(found)
        yield found
        waiting.extend(_next(found))


def _handed_out(root: object) -> Iterator[object]:
    for name in dir(root):
        if not name.startswith("__"):
            try:
                yield getattr(root, name)
            except Exception:  # a property that cannot be read hands nothing out
                continue


def _next(found: object) -> list[object]:
    if isinstance(found, _LEAVES):
        return []
    if isinstance(found, FunctionType):
        cells = [cell.cell_contents for cell in found.__closure__ or () if _is_filled(cell)]
        return [*cells, found.__defaults__, found.__kwdefaults__, found.__dict__]
    if isinstance(found, FrameType):
        return [dict(found.f_locals)]
    if isinstance(found, TracebackType):
        return [found.tb_frame, found.tb_next]
    if isinstance(found, type):
        return [value for name, value in vars(found).items() if name not in _IGNORED]
    if isinstance(found, weakref.ref):
        return [found()]
    if isinstance(found, dict):  # the collector skips keys that are plain text
        return [*found.keys(), *found.values(), getattr(found, "__dict__", None)]
    if isinstance(found, _CACHED):  # nothing in Python can read the entries of an `lru_cache`
        return [found.__wrapped__]
    if isinstance(found, np.ndarray):  # opaque to the garbage collector
        return [found.tolist(), found.base] if found.dtype.kind in "OUS" else [found.base]
    slots = [
        descriptor.__get__(found)
        for kind in type(found).__mro__
        for descriptor in vars(kind).values()
        if inspect.ismemberdescriptor(descriptor) and _is_set(descriptor, found)
    ]
    return [*slots, *gc.get_referents(found)]


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _is_set(descriptor: Any, found: object) -> bool:
    try:
        descriptor.__get__(found)
    except (AttributeError, TypeError):
        return False
    return True
