"""From a candidate and a request to messages: the one function of DESIGN P3.

Training, evaluation, serving and export all call `render`. The instruction stands once, at the
start of the first user turn; demonstrations are user and assistant turns; the last user turn holds
only the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import TaskBrief
from accordeur.parts.demonstrations.demonstration import Demonstration
from accordeur.parts.pattern import Conversation, Pattern, Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.soft_prompt import SoftPrompt


def render(
    task: TaskBrief,
    prompt: Prompt,
    request: Request,
    demonstrations: Sequence[Demonstration] = (),
    *,
    demonstrations_shared: bool = True,
    pattern: Pattern | None = None,
    soft: SoftPrompt | None = None,
    soft_first: int = 0,
) -> Rendered:
    """Messages of one request.

    Args:
        task: gives label names their display text.
        prompt: instruction, template and system message.
        request: what is asked.
        demonstrations: worked examples, in the order shown.
        demonstrations_shared: they are the same for every request of this candidate.
        pattern: words that ask for reasoning stand behind the instruction, and demonstrations show
            their steps; what opens a conversation stands behind the row.
        soft: virtual tokens at the place of the instruction.
        soft_first: which of the model's virtual tokens is its first.

    Raises:
        TaskError: the template cannot be filled, a conversation has no user turn at its end, or its
            own system message would stand before soft tokens.
    """
    messages: list[Message] = []
    system: list[Segment] = []
    if prompt.system is not None:
        system.append(Segment(prompt.system, shared=True))
    for number, shown in enumerate(demonstrations):
        for turn, segments in prompt.row(shown.request, shared=demonstrations_shared):
            messages.append(Message(_spoken(turn.role), segments, demonstration=number))
        text = shown.answer_text(task)
        if isinstance(pattern, Reason):
            text = pattern.worked(shown.steps, text)
        answer = Segment(text, "data", shared=demonstrations_shared)
        messages.append(Message("assistant", (answer,), demonstration=number))
    for turn, segments in prompt.row(request):
        if turn.role == "system":
            # A conversation's own system message is added to the prompt's, never replaces it.
            if system:
                system.append(Segment("\n\n", shared=False))
            system.extend(segments)
        else:
            messages.append(Message(turn.role, segments))
    if not messages or messages[-1].role != "user":
        raise TaskError(
            "A conversation must end with a user turn to be answered.",
            hint="move the last assistant turn into `expected`",
        )
    if isinstance(pattern, Conversation) and pattern.opening:
        words = Segment(f"\n\n{pattern.opening}", shared=False)
        messages[-1] = replace(messages[-1], segments=(*messages[-1].segments, words))
    if soft is not None and any(not segment.shared for segment in system):
        raise TaskError(
            "A conversation with a system message of its own cannot follow a soft prompt.",
            hint="take the system messages out of the rows, or leave `soft-prompt` out",
        )
    lead = _lead(lead_text(prompt, pattern), soft, soft_first)
    if lead:
        messages = _with_lead(lead, messages)
    if system:
        messages.insert(0, Message("system", tuple(system)))
    return Rendered(tuple(messages))


def _spoken(role: str) -> Literal["user", "assistant"]:
    # A system turn inside a demonstration would stand in the middle of the prompt, where chat
    # templates refuse it; it is shown as the user's words instead.
    return "assistant" if role == "assistant" else "user"


def lead_text(prompt: Prompt, pattern: Pattern | None) -> str:
    """The instruction as it stands before the first row or demonstration."""
    words = (prompt.instruction, pattern.words if isinstance(pattern, Reason) else "")
    text = " ".join(part for part in words if part)
    return f"{text}\n\n" if text else ""


def _lead(text: str, soft: SoftPrompt | None, first: int) -> tuple[Segment, ...]:
    words = (Segment(text, shared=True),) if text else ()
    if soft is None:
        return words
    virtual = Segment("", "soft", shared=True, soft_tokens=soft.tokens, soft_first=first)
    return (virtual,) if soft.mode == "replace" else (*words, virtual)


def _with_lead(lead: tuple[Segment, ...], messages: list[Message]) -> list[Message]:
    """Put the instruction before the first user turn's own text.

    It stands in a message of its own, which `Rendered.turns` joins with whichever user turn comes
    first: so it survives when that turn belongs to a demonstration that is dropped.
    """
    first = next(i for i, message in enumerate(messages) if message.role == "user")
    return [
        *messages[:first],
        Message("user", lead, demonstration=None),
        *messages[first:],
    ]
