"""The tables of mutations: what they name exists."""

from __future__ import annotations

from mutations import read_mutations

MUTATIONS = read_mutations()


def test_every_mutation_can_be_tried() -> None:
    problems = {mutation.fault: mutation.problem() for mutation in MUTATIONS}
    assert not {fault: problem for fault, problem in problems.items() if problem}


def test_every_fault_is_planted_once() -> None:
    assert len({mutation.fault for mutation in MUTATIONS}) == len(MUTATIONS)
    planted = {(mutation.file, mutation.old, mutation.new) for mutation in MUTATIONS}
    assert len(planted) == len(MUTATIONS)
