# SPDX-License-Identifier: Apache-2.0
"""A town with practices in it."""

import pytest

from server.instance import Instance
from tests.server.town import Town, settle


@pytest.fixture
async def town(instance: Instance) -> Town:
    return await settle(instance)
