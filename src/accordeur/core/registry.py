"""Names to classes, loaded on first use; outside packages join through entry points.

A table of `name -> "module:object"`, or `"module:Class.method"`, stands in for imports, so listing
names costs nothing. Entry points of the group join the table; a built-in name cannot be taken over.
An unknown name is answered with the nearest ones.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Any

from accordeur.core.errors import PlanError


class Registry:
    """One table of names.

    Args:
        group: entry point group, such as `accordeur.levers`.
        noun: what one entry is called in messages, such as `lever`.
        builtin: name -> `module:object`.
    """

    def __init__(self, group: str, noun: str, builtin: Mapping[str, str]) -> None:
        self.group = group
        self.noun = noun
        self._builtin = dict(builtin)
        self._table: dict[str, str] | None = None

    @property
    def table(self) -> Mapping[str, str]:
        """All names with the place of their code, built-in ones first."""
        if self._table is None:
            found = {point.name: point.value for point in entry_points(group=self.group)}
            self._table = {**found, **self._builtin}
        return self._table

    def names(self) -> tuple[str, ...]:
        """All names, built-in ones first, then outside ones by name."""
        outside = sorted(name for name in self.table if name not in self._builtin)
        return (*self._builtin, *outside)

    def load(self, name: str) -> Any:
        """The object behind a name.

        Raises:
            PlanError: no such name; the message offers the nearest ones.
        """
        place = self.table.get(name)
        if place is None:
            raise unknown_name(self.noun, name, self.names())
        module, _, attribute = place.partition(":")
        return attrgetter(attribute)(importlib.import_module(module))


def unknown_name(noun: str, name: str, known: tuple[str, ...]) -> PlanError:
    """The error for a name that is not in a table, with the nearest names as its hint."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(f'`{item}`' for item in near)}? " if near else ""
    return PlanError(f"There is no {noun} named `{name}`.", hint=f"{hint}known: {', '.join(known)}")
