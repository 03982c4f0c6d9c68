"""The trie of continuations: labels that start alike share the positions they start with.

An *edge* is a token to be predicted; a *node* is a token that is also fed to the model because
something follows it. An edge's *source* is where it is predicted from: 0 is the prompt's last
token, `i + 1` is node `i`. Nodes stand in depth-first order, so a parent comes before its children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Trie:
    """A trie of token sequences.

    Attributes:
        tokens: input token of each node, [nodes].
        parents: parent node of each node, -1 for the prompt, [nodes].
        depths: tokens between the prompt and the node, [nodes].
        sees: bool [nodes, nodes]; itself and its ancestors.
        sources: where each edge is predicted from, [edges].
        targets: token of each edge, [edges].
        paths: float32 [sequences, edges]; 1 where a sequence uses an edge.
    """

    tokens: Tensor
    parents: Tensor
    depths: Tensor
    sees: Tensor
    sources: Tensor
    targets: Tensor
    paths: Tensor

    @property
    def nodes(self) -> int:
        """Positions to compute per prompt."""
        return int(self.tokens.numel())


def build_trie(sequences: Sequence[Sequence[int]]) -> Trie:
    """The trie of non-empty token sequences, each counted with its last token.

    Raises:
        ValueError: a sequence is empty.
    """
    if not all(sequences):
        raise ValueError("a continuation has no tokens")
    edges: dict[tuple[int, ...], int] = {}
    for sequence in sequences:
        for end in range(1, len(sequence) + 1):
            edges.setdefault(tuple(sequence[:end]), 0)
    ordered = sorted(edges)  # lexicographic is depth first
    edges = {path: at for at, path in enumerate(ordered)}
    inner = sorted({path[:-1] for path in ordered if len(path) > 1})
    nodes = {path: at for at, path in enumerate(inner)}
    parents = torch.tensor([nodes.get(path[:-1], -1) for path in inner], dtype=torch.long)
    sees = torch.eye(len(inner), dtype=torch.bool)
    for at, parent in enumerate(parents.tolist()):
        if parent >= 0:
            sees[at] |= sees[parent]
    paths = torch.zeros(len(sequences), len(ordered))
    for at, sequence in enumerate(sequences):
        for end in range(1, len(sequence) + 1):
            paths[at, edges[tuple(sequence[:end])]] = 1.0
    return Trie(
        tokens=torch.tensor([path[-1] for path in inner], dtype=torch.long),
        parents=parents,
        depths=torch.tensor([len(path) - 1 for path in inner], dtype=torch.long),
        sees=sees,
        sources=torch.tensor([nodes.get(path[:-1], -1) + 1 for path in ordered], dtype=torch.long),
        targets=torch.tensor([path[-1] for path in ordered], dtype=torch.long),
        paths=paths,
    )
