# SPDX-License-Identifier: Apache-2.0
"""A quote with words that few may read."""

from server.instance import Instance
from storage.members import Member
from storage.posts import Post
from storage.quotes import Quote


async def stamped(instance: Instance, post: Post, by: Member, number: int, host: str) -> None:
    """A stamp of this number from when the forum of a post was public."""
    uri = f"http://{host}/quoting/zqagenciesqz"
    async with instance.transaction() as tx:
        tx.session.add(
            Quote(
                id=number, post_id=post.id, member_id=by.id, uri=uri,
                request=f"{uri}/request", at=tx.now,
            )
        )  # fmt: skip
