from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from accordeur.models.local.trie import build_trie

sequences = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=8)


@given(sequences)
def test_every_sequence_is_the_sum_of_its_own_edges(found: list[list[int]]) -> None:
    trie = build_trie(found)
    for at, sequence in enumerate(found):
        used = trie.paths[at].nonzero()[:, 0].tolist()
        assert sorted(sequence) == sorted(trie.targets[used].tolist())


@given(sequences)
def test_a_node_sees_itself_and_as_many_ancestors_as_its_depth(found: list[list[int]]) -> None:
    trie = build_trie(found)
    assert torch.equal(trie.sees.sum(1), trie.depths + 1)
    assert not trie.sees.triu(1).any()


def test_shared_starts_are_fed_once() -> None:
    trie = build_trie([[1, 2, 9], [1, 3, 9], [1, 2, 9]])
    assert trie.tokens.tolist() == [1, 2, 3]
    assert trie.parents.tolist() == [-1, 0, 0]
    assert torch.equal(trie.paths[0], trie.paths[2])


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="no tokens"):
        build_trie([[1], []])
