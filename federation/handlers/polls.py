# SPDX-License-Identifier: Apache-2.0
"""Votes from elsewhere in polls of ours."""

from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from federation.vocabulary.posts import Post as WirePost
from server.posts import voting
from storage import posts
from storage.members import Member


async def vote(incoming: Incoming, activity: Activity, note: WirePost) -> None:
    """A Note that names an option of a poll: counted here, where its author is at home."""
    person = await incoming.actors.person(activity.actor)
    incoming.member = person.id
    async with incoming.deed(subject=note.id) as tx:
        post = await posts.by_uri(tx.session, note.in_reply_to or "")
        author = await tx.session.get(Member, post.author_id) if post is not None else None
        if post is None or author is None or not author.is_local:
            raise Ignored("Votes are counted by the server that the poll is of.")
        await voting.vote_by_name(tx, person, post, note.name or "")
