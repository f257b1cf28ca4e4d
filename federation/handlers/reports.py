# SPDX-License-Identifier: Apache-2.0
"""Reports from other servers, put before those who keep what they are about."""

from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server import audit, text
from server.moderation import reports
from server.transaction import Transaction
from storage import members, posts
from storage.forums import Forum
from storage.members import Member

MOST_WORDS = 500


async def flag(incoming: Incoming, activity: Activity) -> None:
    """Somebody reports posts or people of ours; it is never announced.

    A post in a forum of ours comes before its stewards, anything else into the record. The
    reason stands in `summary` at Lemmy, in `content` at Mastodon.
    """
    things = activity.object if isinstance(activity.object, tuple) else (activity.object,)
    reason = text.plain(activity.summary or activity.content or "")[:MOST_WORDS]
    reporter = await incoming.actors.person(activity.actor)
    async with incoming.deed() as tx:
        found = 0
        for uri in dict.fromkeys(getattr(thing, "id", "") for thing in things):
            found += await _one(tx, reporter, uri, reason)
        if not found:
            raise Ignored("This reports nothing that is here.")


async def _one(tx: Transaction, reporter: Member, uri: str, reason: str) -> bool:
    post = await posts.by_uri(tx.session, uri)
    forum = await tx.session.get_one(Forum, post.forum_id) if post is not None else None
    if post is not None and forum is not None and forum.is_local:
        await reports.keep(tx, reporter, post, reason)
        return True
    person = await members.by_uri(tx.session, uri)
    if post is None and (person is None or not person.is_local):
        return False
    audit.note(tx, reporter, "post.reported", uri, reason)
    return True
