# SPDX-License-Identifier: Apache-2.0
"""What an Undo takes back where it names it by its id alone."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from federation.incoming import Incoming
from federation.vocabulary.activities import Activity, Reference
from storage import endorsements, forums, members


async def inner_of(incoming: Incoming, activity: Activity) -> Activity | None:
    """The activity that an Undo undoes: embedded, or named and held as its own actor's.

    Only a Like or a Follow of the very actor is found by its id, and nothing is fetched for it
    (ActivityPub §6.10 and §7.10 leave open whether an Undo embeds; bovine's does not).
    """
    inner = activity.object
    if isinstance(inner, Activity):
        return inner
    if not isinstance(inner, Reference):
        return None
    async with incoming.wire.instance.reading() as session:
        return await _held(session, activity, inner.id)


async def _held(session: AsyncSession, activity: Activity, uri: str) -> Activity | None:
    person = await members.by_uri(session, activity.actor)
    if person is None:
        return None
    endorsed = await endorsements.endorsed_by(session, person.id, uri)
    if endorsed is not None:
        return replace(activity, id=uri, type="Like", object=Reference(endorsed))
    followed = await forums.followed_by(session, person.id, uri)
    if followed is not None:
        return replace(activity, id=uri, type="Follow", object=Reference(followed))
    return None
