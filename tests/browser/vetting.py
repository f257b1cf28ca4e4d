# SPDX-License-Identifier: Apache-2.0
"""Practices of a town under review."""

from server.reviews import rows, tasks
from server.vetting import cases
from storage.posts import Post
from tests.browser.town import Town


def reviews(town: Town, own: Post, other: Post, author: str) -> dict[str, str]:
    """Ana's practice waits for Sam, and Ana has accepted to review another's: the addresses."""
    people, instance = town.riverton.people, town.riverton.instance

    async def deed() -> dict[str, str]:
        async with instance.transaction() as tx:
            waiting = await cases.submit(tx, people["ana"], own, "Is it clear?")
            given = await cases.submit(tx, people[author], other, "")
        async with instance.transaction() as tx:
            due = cases.due_of(tx, "")
            seat = await cases.invite_member(tx, people["sam"], given.id, "ana", due)
            task = await rows.task_of_seat(tx.session, seat.id)
            assert task is not None
            await tasks.accept(tx, people["ana"], task, "I know the author.")
            return {"case": f"/reviews/cases/{waiting.id}", "task": f"/reviews/{task.token}"}

    return town.run(deed())
