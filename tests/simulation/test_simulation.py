# SPDX-License-Identifier: Apache-2.0
"""A federation under trouble keeps its promises, whatever the seed."""

import pytest

from tests.simulation.regressions import REGRESSIONS
from tests.simulation.run import simulate

SEEDS = range(1, 11)


@pytest.mark.parametrize("seed", [*SEEDS, *sorted(REGRESSIONS)])
def test_everything_holds_once_all_is_quiet_again(seed: int) -> None:
    report = simulate(seed)
    assert not report.findings, str(report)


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = simulate(1), simulate(1)
    assert first.digest == second.digest
    assert first.requests > 50
