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
    below: list[dict[int, int]] = [{}]  # branch -> token -> branch; 0 is the prompt
    ends = []
    for sequence in sequences:
        at = 0
        for token in sequence:
            if token not in below[at]:
                below[at][token] = len(below)
                below.append({})
            at = below[at][token]
        ends.append(at)
    # Depth first, branches of one parent by token.
    edges: list[tuple[int, int, int, int]] = []  # branch, token, parent, depth
    waiting = [(child, token, 0, 0) for token, child in sorted(below[0].items(), reverse=True)]
    while waiting:
        edge = waiting.pop()
        edges.append(edge)
        after = sorted(below[edge[0]].items(), reverse=True)
        waiting += [(child, token, edge[0], edge[3] + 1) for token, child in after]
    inner = [edge for edge in edges if below[edge[0]]]
    nodes = {0: -1} | {edge[0]: at for at, edge in enumerate(inner)}
    parents = [nodes[parent] for _, _, parent, _ in inner]
    sees = torch.eye(len(inner), dtype=torch.bool)
    for at, parent in enumerate(parents):
        if parent >= 0:
            sees[at] |= sees[parent]
    return Trie(
        tokens=torch.tensor([token for _, token, _, _ in inner], dtype=torch.long),
        parents=torch.tensor(parents, dtype=torch.long),
        depths=torch.tensor([depth for *_, depth in inner], dtype=torch.long),
        sees=sees,
        sources=torch.tensor([nodes[parent] + 1 for _, _, parent, _ in edges], dtype=torch.long),
        targets=torch.tensor([token for _, token, _, _ in edges], dtype=torch.long),
        paths=_paths(ends, edges),
    )


def _paths(ends: Sequence[int], edges: Sequence[tuple[int, int, int, int]]) -> Tensor:
    """Which edges lead to the last token of each sequence, float32 [sequences, edges]."""
    above = {branch: (at, parent) for at, (branch, _, parent, _) in enumerate(edges)}
    paths = torch.zeros(len(ends), len(edges))
    for row, end in enumerate(ends):
        places = []
        while end:
            at, end = above[end]
            places.append(at)
        paths[row, places] = 1.0
    return paths
