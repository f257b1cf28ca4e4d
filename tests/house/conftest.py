# SPDX-License-Identifier: Apache-2.0
"""What the tests of the house leave behind: nothing."""

import gc
from collections.abc import Iterator

import pytest

from tests.house.sources import nodes, tree


@pytest.fixture(scope="package", autouse=True)
def _trees() -> Iterator[None]:
    """Let go of the syntax of every file: a million objects, searched for garbage in vain."""
    gc.disable()
    yield
    nodes.cache_clear()
    tree.cache_clear()
    gc.enable()
