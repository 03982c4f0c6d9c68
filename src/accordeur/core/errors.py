"""Every error a user can meet, as one tree.

    AccordeurError              what happened, then a hint with the command to type
    ├── UsageError              the command line or a call was wrong (exit code 2)
    ├── TaskError               task.yaml or its data cannot be used
    │   └── LeakageError        the same or nearly the same input stands in two splits
    ├── PlanError               unknown lever, model or metric; impossible stack; budget too small
    ├── ModelError              a model cannot be found, loaded or run
    │   ├── ContextOverflow     static text alone does not fit the model's context
    │   ├── NoLogprobs          the model tells no log-probabilities of given texts
    │   └── EndpointGone        no call to an endpoint would be answered now; the run stops
    ├── MissingDependency       an optional package is not installed
    ├── BundleError             a bundle is damaged, unsafe or from a newer version
    ├── StoreError              a run or cache cannot be read or written
    │   └── RunInUse            another process is working on this run
    ├── CodeNotAllowed          data or configuration names code and `--allow-code` was not given
    └── SealError               held-out examples were asked for outside the protocol

Mistakes of the user or the surroundings raise one of these and are shown as a message. Mistakes of
the program raise ordinary exceptions and keep their traceback. The two kinds are never mixed.
"""

from __future__ import annotations


class AccordeurError(Exception):
    """An error to be shown as a message.

    Args:
        message: what happened, one or two sentences, names in backticks.
        hint: what to do about it, best a command to type; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n\nhint: {self.hint}" if self.hint else self.message


class UsageError(AccordeurError):
    """The command line or a call was wrong."""

    exit_code = 2


class TaskError(AccordeurError):
    """A task's description or data cannot be used."""


class LeakageError(TaskError):
    """The same or nearly the same input stands in two splits."""


class PlanError(AccordeurError):
    """A plan cannot be made: unknown names, impossible stacks, a budget that is too small."""


class ModelError(AccordeurError):
    """A model cannot be found, loaded or run."""


class ContextOverflow(ModelError):
    """The static text of a prompt alone does not fit the model's context."""


class NoLogprobs(ModelError):
    """The model tells no log-probabilities of given texts."""


class EndpointGone(ModelError):
    """No call to an endpoint would be answered now: the run stops, and goes on later."""


class MissingDependency(AccordeurError):
    """An optional package is not installed."""


class BundleError(AccordeurError):
    """A bundle is damaged, unsafe or was written by a newer version."""


class StoreError(AccordeurError):
    """A run or a cache cannot be read or written."""


class RunInUse(StoreError):
    """Another process is working on this run."""


class CodeNotAllowed(AccordeurError):
    """Data or configuration names code, and `--allow-code` was not given."""


class SealError(AccordeurError):
    """Held-out examples were asked for outside the protocol."""
