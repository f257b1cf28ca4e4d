# SPDX-License-Identifier: Apache-2.0
"""Reports from other servers, put before the administrators."""

from federation.incoming import Ignored, Incoming
from federation.vocabulary.activities import Activity
from server import audit, text
from storage import members, posts

MOST_WORDS = 500


async def flag(incoming: Incoming, activity: Activity) -> None:
    """Somebody reports posts or people of ours: a line in the record, and never announced.

    The reason stands in `summary` at Lemmy, in `content` at Mastodon.
    """
    things = activity.object if isinstance(activity.object, tuple) else (activity.object,)
    reason = text.plain(activity.summary or activity.content or "")[:MOST_WORDS]
    async with incoming.deed() as tx:
        found = 0
        for uri in dict.fromkeys(getattr(thing, "id", "") for thing in things):
            post = await posts.by_uri(tx.session, uri)
            person = await members.by_uri(tx.session, uri)
            if post is not None or (person is not None and person.is_local):
                found += 1
                audit.note(tx, activity.actor, "post.reported", uri, reason)
        if not found:
            raise Ignored("This reports nothing that is here.")
