from __future__ import annotations

import inspect

import pytest

from accordeur.core import errors
from accordeur.core.errors import AccordeurError, UsageError

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, AccordeurError)
]


def test_an_error_says_what_happened_then_what_to_do() -> None:
    assert str(AccordeurError("It broke.", hint="mend it")) == "It broke.\n\nhint: mend it"
    assert str(AccordeurError("It broke.")) == "It broke."


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_stands_in_the_tree_at_the_top_of_its_file(kind: type[AccordeurError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.exit_code == (2 if issubclass(kind, UsageError) else 1)
