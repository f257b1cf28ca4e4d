# SPDX-License-Identifier: Apache-2.0
"""An agency where people mentor each other."""

import pytest

from server.instance import Instance
from storage.members import Member
from tests import makers
from tests.server.mentoring import bench
from tests.server.mentoring.office import Office


@pytest.fixture
async def office(instance: Instance, admin: Member, way: str) -> Office:
    ana, dee, tom = [await makers.member(instance, one) for one in ("ana", "dee", "tom")]
    place = await bench.programme(instance, admin, way=way)
    card = await bench.card(instance, tom, **{way: "yes", "capacity": "1"})
    return Office(instance, admin, ana, dee, tom, card, place.id)


@pytest.fixture
def way() -> str:
    """How people meet in the programme."""
    return "one-to-one"
