"""The cell tree against a plain model in which every cell is an object with a set of owners."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inference.prefix_cache.cells import CellTree

Operation = tuple[str, int, int, int]
operations = st.lists(
    st.tuples(
        st.sampled_from(["extend", "fork", "trim", "drop"]), st.integers(0, 5), st.integers(0, 5), st.integers(1, 12)
    ),
    max_size=60,
)


def apply(tree: CellTree, model: dict[int, list[int]], fresh: list[int], operation: Operation) -> None:
    kind, a, b, n = operation
    if kind == "extend":
        tree.extend(a, n)
        model.setdefault(a, []).extend(range(fresh[0], fresh[0] + n))
        fresh[0] += n
    elif kind == "fork" and a != b and not model.get(b) and n <= len(model.get(a, [])):
        tree.fork(a, b, n)
        model[b] = model[a][:n]
    elif kind == "trim":
        tree.trim(a, n)
        model[a] = model.get(a, [])[:n]
    elif kind == "drop":
        tree.drop(a)
        model[a] = []


@settings(max_examples=300, deadline=None)
@given(operations)
def test_tree_counts_what_the_plain_model_counts(steps: list[Operation]) -> None:
    tree, model, fresh = CellTree(), dict[int, list[int]](), [0]
    for operation in steps:
        apply(tree, model, fresh, operation)
        assert tree.used == len({cell for cells in model.values() for cell in cells})
        for sequence in range(6):
            own = model.get(sequence, [])
            others = {cell for other, cells in model.items() if other != sequence for cell in cells}
            assert tree.length(sequence) == len(own)
            assert tree.private(sequence) == len([cell for cell in own if cell not in others])
