"""Prompts as they are written: a text, a list of messages, a file.

A prompt is a Jinja template, or a list of messages whose contents are templates. Files: `.txt`
(several prompts between lines of `---`), `.md`, `.j2`, `.json`, `.yaml` (messages) and `.jsonl` (a
prompt on each line).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from accordeur.bench.matrix.files import is_reference, path_of, read_text
from accordeur.bench.matrix.keys import as_list, check_keys, text
from accordeur.bench.matrix.matrix import Prompt, Reading, Role
from accordeur.core.errors import TaskError

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_ENDINGS = (".txt", ".md", ".j2", ".json", ".yaml", ".yml", ".jsonl")
_CODE = (".py", ".js", ".ts", ".mjs", ".cjs", ".sh", ".rb")
_BETWEEN = re.compile(r"^---[ \t]*$", re.MULTILINE)

_LABEL = 60


def read_prompts(value: Any, reading: Reading) -> tuple[Prompt, ...]:
    """The prompts of a config, each with a label of its own.

    Raises:
        TaskError: one of them cannot be read, or there is none.
    """
    found: list[Prompt] = []
    for one in as_list(value):
        found.extend(_read(one, reading))
    if not found:
        raise TaskError("There is no prompt.", hint='prompts: ["Answer briefly: {{ input }}"]')
    seen: dict[str, int] = {}
    named = []
    for prompt in found:
        seen[prompt.label] = seen.get(prompt.label, 0) + 1
        again = f" ({seen[prompt.label]})" if seen[prompt.label] > 1 else ""
        named.append(Prompt(prompt.label + again, prompt.turns, prompt.chat))
    return tuple(named)


def _read(value: Any, reading: Reading) -> Iterator[Prompt]:
    if isinstance(value, str):
        if is_reference(value) or _looks_like_file(value):
            yield from _from_files(value, reading)
        else:
            yield prompt_of(value)
    elif isinstance(value, list):
        yield _chat(value, "")
    elif isinstance(value, Mapping):
        yield from _from_mapping(value, reading)
    else:
        raise TaskError(f"A prompt is `{value}`: neither text, messages nor a mapping.")


def _from_mapping(value: Mapping[str, Any], reading: Reading) -> Iterator[Prompt]:
    if isinstance(value.get("messages"), list):
        check_keys(value, "a prompt", ("messages", "label", "id"))
        yield _chat(value["messages"], str(value.get("label") or value.get("id") or ""))
        return
    check_keys(value, "a prompt", ("raw", "text", "file", "id", "label", "messages"), ("config",))
    source = value.get("raw", value.get("text", value.get("file", value.get("id"))))
    label = str(value.get("label") or "")
    if "file" in value:
        source = f"file://{text(source, 'file')}"
    read = list(_read(text(source, "raw"), reading))
    for number, one in enumerate(read, 1):
        named = label if len(read) == 1 or not label else f"{label} {number}"
        yield Prompt(named or one.label, one.turns, one.chat)


def prompt_of(source: str, label: str = "") -> Prompt:
    """A prompt from its text, which may be messages as JSON or YAML.

    Raises:
        TaskError: it looks like messages and cannot be read as such.
    """
    start = source.lstrip()
    if start.startswith("[") and '"role"' in start:
        try:
            return _chat(json.loads(source), label)
        except ValueError:
            raise TaskError(
                f"The prompt `{_short(source)}` looks like messages but is not JSON.",
                hint="templates stand inside its texts: "
                '[{"role": "user", "content": "{{ input }}"}]',
            ) from None
    if start.startswith("- role:"):
        try:
            return _chat(yaml.safe_load(source), label)
        except yaml.YAMLError:
            raise TaskError(
                f"The prompt `{_short(source)}` looks like messages but is not YAML."
            ) from None
    return Prompt(label or _short(source), (("user", source),))


def _chat(messages: Any, label: str) -> Prompt:
    turns: list[tuple[Role, str]] = []
    for message in messages if isinstance(messages, list) else [messages]:
        if not isinstance(message, Mapping) or str(message.get("role")) not in _ROLES:
            raise TaskError(
                "A chat prompt must be a list of messages with role and content.",
                hint='[{"role": "system", "content": "..."}, '
                '{"role": "user", "content": "{{ input }}"}]',
            )
        check_keys(message, "a message", ("role", "content"))
        turns.append((_ROLES[str(message["role"])], text(message.get("content"), "content")))
    if not turns or turns[-1][0] != "user":
        raise TaskError("A chat prompt must end with a user message to be answered.")
    return Prompt(label or _short(turns[-1][1]), tuple(turns), chat=True)


def _looks_like_file(value: str) -> bool:
    return "\n" not in value and "{{" not in value and value.lower().endswith((*_ENDINGS, *_CODE))


def _from_files(reference: str, reading: Reading) -> Iterator[Prompt]:
    path = path_of(reference, reading.folder)
    paths = [path]
    if any(sign in path.name for sign in "*?["):
        paths = sorted(path.parent.glob(path.name))
        if not paths:
            raise TaskError(f"No file is called `{reference}`.", hint=f"ls {path.parent}")
    for one in paths:
        yield from _from_file(one)


def _from_file(path: Path) -> Iterator[Prompt]:
    ending = path.suffix.lower()
    if ending in _CODE or path.suffix.partition(":")[0] in _CODE:
        raise TaskError(
            f"The prompt `{path.name}` is a program, which is not run.",
            hint="write the prompt as a Jinja template, or as messages in .json",
        )
    content = read_text(path)
    if ending == ".jsonl":
        pieces = [line for line in content.splitlines() if line.strip()]
    elif ending == ".txt":
        pieces = [piece.strip() for piece in _BETWEEN.split(content)]
        pieces = [piece for piece in pieces if piece]
    else:
        pieces = [content]
    for piece in pieces:
        label = path.name if len(pieces) == 1 else f"{path.name}: {_short(piece)}"
        if ending in (".yaml", ".yml") and not piece.lstrip().startswith(("- role:", "[")):
            piece = _yaml_text(piece, path)
        yield prompt_of(piece, label)


def _yaml_text(piece: str, path: Path) -> str:
    """A YAML file that holds messages in another layout, or one text."""
    try:
        value = yaml.safe_load(piece)
    except yaml.YAMLError:
        raise TaskError(f"`{path}` is not YAML.", hint="a list of role and content") from None
    return value if isinstance(value, str) else json.dumps(value)


def _short(source: str) -> str:
    line = " ".join(source.split())
    return line if len(line) <= _LABEL else f"{line[: _LABEL - 1]}…"
