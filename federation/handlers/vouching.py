# SPDX-License-Identifier: Apache-2.0
"""A received post as its author vouches for it."""

from federation import authority
from federation.errors import BadAnswer
from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from federation.vocabulary.posts import Post as WirePost


async def vouched_for(
    incoming: Incoming, post: WirePost | None, activity: Activity | None, uri: str
) -> tuple[WirePost, str]:
    """The post as its author vouches for it, and by which key.

    A valid proof on the activity or on the post; else what the origin answers (FEP-8b32,
    FEP-fe34). Otherwise nothing is stored.
    """
    if post is not None and post.author is not None:
        documents = [activity.raw] if activity is not None and activity.actor == post.author else []
        for document in (*documents, post.raw):
            key_id = await incoming.verifier.proof(document, post.author)
            if key_id is not None:
                authority.must_own(post.author, post, ours=incoming.origin)
                return post, key_id
    fetched = await incoming.fetch_post(uri)
    if fetched.author is None:
        raise BadAnswer("The post names no author.")
    if not await incoming.is_allowed(fetched.author):
        # The address asked for may have led on to another host.
        raise Ignored("Its author's agency is not on our list.")
    authority.must_own(fetched.author, fetched, ours=incoming.origin)
    return fetched, ""
