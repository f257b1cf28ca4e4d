# SPDX-License-Identifier: Apache-2.0
"""How a reviewer's task ends, by what the review's home does."""

from server import text
from server.reviews import notices
from server.reviews.course import Said, Task, may_move_task, task_moves
from server.reviews.notices import Notice
from server.reviews.rows import scrub_bodies, scrub_task
from server.transaction import Transaction
from storage.members import Member
from storage.reviews import ReviewTask


async def released(tx: Transaction, task: ReviewTask, reason: str) -> None:
    """The review's home no longer asks for it: nothing of it is kept here."""
    if not may_move_task(task, Said.WITHDRAW):
        return
    task_moves(task, Said.WITHDRAW)
    task.reason = text.clean_line(reason, 300)
    scrub_task(task)
    await scrub_bodies(tx, [task.invitation])
    who = await tx.session.get(Member, task.member_id or 0)
    await notices.tell(tx, who, Notice.RELEASED, task.title, f"/reviews/{task.token}")


async def decided(tx: Transaction, task: ReviewTask, decision: str, practice: str) -> None:
    """The review's home decided; the practice may be known from now on, if it is published."""
    if not may_move_task(task, Said.DECIDE):
        await published(tx, task, practice)
        return
    task_moves(task, Said.DECIDE)
    task.decision, task.practice = decision, practice
    who = await tx.session.get(Member, task.member_id or 0)
    await notices.tell(tx, who, Notice.OUTCOME, task.title, f"/reviews/{task.token}")


async def published(tx: Transaction, task: ReviewTask, practice: str) -> None:
    """What was read as a draft is published under this id."""
    if task.state != Task.DECIDED or task.practice or not practice:
        return
    task.practice = practice
    who = await tx.session.get(Member, task.member_id or 0)
    await notices.tell(tx, who, Notice.PUBLISHED, task.title, f"/reviews/{task.token}")
