# SPDX-License-Identifier: Apache-2.0
"""Reviews for tests, by the real deeds."""

from server.instance import Instance
from server.reviews import rubric, tasks
from server.reviews.rubric import Answers
from storage.members import Member


def answers(recommendation: str = "accept", words: str = "Clear enough.") -> Answers:
    """A whole review."""
    marks = {name: {"score": 3, "comment": f"{name}: {words}"} for name in rubric.CRITERIA}
    return rubric.parse({"v": 1, "recommendation": recommendation, "summary": words, **marks})


async def reviewed(
    instance: Instance, member: Member, token: str, given: Answers | None = None
) -> None:
    """A member accepts and gives a review that they were asked for."""
    async with instance.transaction() as tx:
        await tasks.accept(tx, member, await tasks.must_find(tx, token), "")
    async with instance.transaction() as tx:
        await tasks.send(tx, member, await tasks.must_find(tx, token), given or answers())
