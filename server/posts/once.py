# SPDX-License-Identifier: Apache-2.0
"""Posting once, however often the same is sent under one key."""

from datetime import timedelta

from sqlalchemy import delete, select, update

from server.transaction import Transaction
from storage.base import insert
from storage.once import PostedOnce

REMEMBERED = timedelta(hours=24)


async def before(tx: Transaction, key: str) -> int | None:
    """The post that was made under this key; None for the first, which has to say `made`.

    Whoever comes second, in another process as well, waits until the first has committed.
    """
    if not key:
        return None
    old = tx.now - REMEMBERED
    await tx.session.execute(
        delete(PostedOnce).where(PostedOnce.key == key, PostedOnce.created <= old)
    )
    taken = await tx.session.execute(
        insert(tx.session, PostedOnce)
        .values(key=key, post_id=0, created=tx.now)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(PostedOnce.key)
    )
    if taken.first() is not None:
        return None
    found = select(PostedOnce.post_id).where(PostedOnce.key == key)
    return (await tx.session.execute(found)).scalar_one()


async def made(tx: Transaction, key: str, post: int) -> None:
    """The post that the key stands for from now on."""
    if key:
        question = update(PostedOnce).where(PostedOnce.key == key)
        await tx.session.execute(question.values(post_id=post))


async def tidy(tx: Transaction) -> None:
    """Forget the keys of the day before."""
    await tx.session.execute(delete(PostedOnce).where(PostedOnce.created <= tx.now - REMEMBERED))
