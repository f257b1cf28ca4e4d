# SPDX-License-Identifier: Apache-2.0
"""What a reviewer is shown, and the admin who names one."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.practices.record import Record, unpack
from server.reviews import rubric
from server.reviews.course import Task
from server.reviews.rows import task_at
from server.reviews.rubric import Answers
from storage.members import Member
from storage.reviews import ReviewTask


@dataclass(frozen=True)
class TaskPage:
    """A review asked of our agency, for its reviewer or for an admin who names one."""

    task: ReviewTask
    record: Record | None
    answers: Answers
    is_reviewer: bool
    may_name: bool
    reviewer: str


async def task_page(session: AsyncSession, member: Member, word: str) -> TaskPage:
    """The task at an address; NotFound for everybody it is not for.

    An admin sees it until somebody has accepted: then it is between the reviewer and its home.
    """
    task = await task_at(session, word[:64])
    if task is None:
        raise NotFound
    is_reviewer = task.member_id == member.id
    may_name = (
        member.is_admin and task.peer is not None and task.state in {Task.OFFERED, Task.ASKED}
    )
    if not is_reviewer and not may_name:
        raise NotFound
    who = await session.get(Member, task.member_id or 0)
    return TaskPage(
        task=task,
        record=unpack(task.record) if task.record else None,
        answers=rubric.unpack(task.answers if is_reviewer else ""),
        is_reviewer=is_reviewer,
        may_name=may_name,
        reviewer=who.name if who is not None else "",
    )
