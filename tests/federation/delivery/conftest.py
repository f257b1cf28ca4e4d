# SPDX-License-Identifier: Apache-2.0
"""Lanes for the tests of delivery."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from server.instance import Instance
from storage.log import Lane

Laid = Callable[..., Awaitable[None]]


@pytest.fixture
def lay(instance: Instance) -> Laid:
    """Make lanes 1 to `count`, each to a host of its own; `held` says more of one by its number."""

    async def laid(count: int, held: Callable[[int], dict[str, Any]] = lambda _: {}) -> None:
        async with instance.transaction() as tx:
            tx.session.add_all(
                Lane(
                    id=number,
                    inbox=f"https://{number}.example/inbox",
                    peer=f"{number}.example",
                    created=tx.now,
                    **held(number),
                )
                for number in range(1, count + 1)
            )

    return laid
