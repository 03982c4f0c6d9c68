from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accordeur.core.errors import BundleError
from accordeur.core.rendering import Request
from accordeur.core.task import Label, Turn
from accordeur.parts.prompt import Prompt, full_instruction

TEXT = st.text(max_size=60) | st.text(alphabet="-\n a:#'\"|>\t\r\u2028\x85\ufeff", max_size=20)


@given(TEXT, TEXT, st.none() | TEXT)
@example("line\n---\nline", "---\n{{ input }}\n---\n", "---")
@example("ends with dashes---", "---", None)
@example("---", "", "---\n---\n")
@example("instruction: other\nsystem: none", "\n", "null")
@example("- a\n- b\n...\n---\n", "\r\n---\r\n", "1e3")
@example("🎹\ud7ff\U0001f3b9", "\x00", "\x07")
def test_prompt_md_reads_back_as_written(
    instruction: str, template: str, system: str | None
) -> None:
    prompt = Prompt(instruction, template, system)
    assert Prompt.from_files(prompt.files()) == prompt


def test_prompt_md_is_front_matter_and_the_template() -> None:
    [(name, data)] = Prompt("Which team?", "{{ input }}", "Be brief.").files().items()
    assert name == "prompt.md"
    assert data.decode() == "---\ninstruction: Which team?\nsystem: Be brief.\n---\n{{ input }}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no front matter",
        b"---\ninstruction: x\n",
        b"---\n- a list\n---\nx",
        b"---\nsystem: x\n---\nx",
        b"---\n\xff\n---\nx",
        b"---\nx: [\n---\nx",
        b"---\n!!python/object/apply:os.system ['true']\n---\nx",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"prompt\.md"):
        Prompt.from_files({"prompt.md": data})


def test_no_file_is_refused() -> None:
    with pytest.raises(BundleError, match=r"prompt\.md"):
        Prompt.from_files({})


def test_a_row_offers_its_fields_its_input_and_its_context() -> None:
    prompt = Prompt("", "{{ title }} / {{ input }} / {{ context }}")
    request = Request({"title": "T", "body": "B"}, context="C")
    [(turn, segments)] = prompt.row(request)
    assert turn.role == "user"
    assert "".join(one.text for one in segments) == "T / title: T\nbody: B / C"


def test_a_conversation_passes_turn_by_turn_as_data() -> None:
    request = Request((Turn("user", "{{ input }}"), Turn("assistant", "yes"), Turn("user", "so?")))
    rows = Prompt("").row(request)
    assert [(turn.role, one.text, one.kind) for turn, [one] in rows] == [
        ("user", "{{ input }}", "data"),
        ("assistant", "yes", "data"),
        ("user", "so?", "data"),
    ]


LABELS = (Label("a", "Billing"), Label("b", "Lost card"))


def test_the_labels_are_listed_unless_the_instruction_names_them_all() -> None:
    assert full_instruction("Which team?", LABELS) == (
        "Which team? Answer with one of: Billing, Lost card."
    )
    named = "Is it billing or a LOST CARD?"
    assert full_instruction(named, LABELS) == named
    assert full_instruction("Is it billing?", LABELS).endswith("one of: Billing, Lost card.")


def test_without_an_instruction_or_labels_nothing_is_made_up() -> None:
    assert full_instruction("", LABELS) == "Answer with one of: Billing, Lost card."
    assert full_instruction("Summarise.", ()) == "Summarise."
    assert full_instruction("", ()) == ""
