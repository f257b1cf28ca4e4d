# SPDX-License-Identifier: Apache-2.0
"""When what has failed is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.delivery.waits import LONGEST_WAIT, PROBED_EVERY, SHORTEST_WAIT, wait_after
from server.randomness import SeededRandomness

FAILURES = st.integers(1, 10_000)
LONGEST = st.sampled_from([PROBED_EVERY, LONGEST_WAIT])


class Chance(SeededRandomness):
    """Chance as it is said."""

    def __init__(self, fraction: float) -> None:
        super().__init__(0)
        self._fraction = fraction

    def fraction(self) -> float:
        return self._fraction


@given(
    failures=FAILURES,
    fraction=st.floats(0.0, 1.0, exclude_max=True),
    longest=LONGEST,
)
def test_each_wait_is_twice_the_one_before_until_the_longest_give_or_take_an_eighth(
    failures: int, fraction: float, longest: float
) -> None:
    assert (SHORTEST_WAIT, PROBED_EVERY, LONGEST_WAIT) == (5.0, 600.0, 21_600.0)
    wait = wait_after(failures, Chance(fraction), longest)
    middle = min(longest, 5.0 * 2.0 ** min(failures - 1, 100))
    assert middle * 0.875 <= wait <= middle * 1.125
    # Those that failed in one moment do not all come back in one.
    assert wait == pytest.approx(middle * (0.875 + fraction / 4))


@given(failures=FAILURES, longest=LONGEST)
def test_nobody_is_tried_sooner_for_having_failed_more_often(failures: int, longest: float) -> None:
    chance = Chance(0.5)
    first, second = (wait_after(n, chance, longest) for n in (failures, failures + 1))
    assert first <= second <= longest


def test_an_entry_waits_up_to_six_hours_and_a_peer_ten_minutes() -> None:
    chance = Chance(0.5)
    waits = [[wait_after(n, chance, most) for n in range(1, 15)] for most in (600.0, 21_600.0)]
    assert waits[0] == [5, 10, 20, 40, 80, 160, 320, *[600] * 7]
    assert waits[1] == [
        5,
        10,
        20,
        40,
        80,
        160,
        320,
        640,
        1_280,
        2_560,
        5_120,
        10_240,
        20_480,
        21_600,
    ]
