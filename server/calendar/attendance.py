# SPDX-License-Identifier: Apache-2.0
"""Who was there: noted by whoever runs the event."""

from server import letters
from server.calendar import certificates, joining
from server.errors import NotAllowed, NotFound
from server.forums.standing import standing_now
from server.permissions import Permission, must
from server.transaction import Transaction
from storage import base
from storage.events import Event, EventGuest, GuestState
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post


async def note(tx: Transaction, actor: Member, post: Post, number: int, said: str) -> None:
    """Note that a guest was there (`came`), was not (`missed`), or take the place (`remove`)."""
    post = await tx.session.get_one(Post, post.id)
    forum = await tx.session.get_one(Forum, post.forum_id)
    must(await standing_now(tx, actor, forum), Permission.RUN_EVENT, post)
    author = await tx.session.get_one(Member, post.author_id)
    if not author.is_local:
        raise NotFound
    event = await base.held(tx.session, Event, post.id)
    guest = await tx.session.get(EventGuest, number)
    if guest is None or guest.post_id != post.id:
        raise NotFound
    if said == "remove":
        if guest.state in joining.HERE:
            await joining.free(tx, event, guest)
            guest.state, guest.reason = GuestState.REFUSED, "The organiser took the place back."
            joining.answer(tx, guest)
        return
    if said not in {"came", "missed"} or guest.state != GuestState.GOING:
        raise NotFound
    if event.starts > tx.now:
        raise NotAllowed("Who was there is noted once it has begun.")
    guest.attended = said == "came"
    before = guest.certificate
    guest.certificate = (
        certificates.address(tx.vault, tx.settings.origin, guest) if guest.attended else ""
    )
    if guest.certificate != before:
        await _tell(tx, post, guest)


async def _tell(tx: Transaction, post: Post, guest: EventGuest) -> None:
    """The guest's agency is told of their certificate; whoever has none, by letter."""
    if guest.email is not None:
        if guest.certificate:
            body = f"Thank you for coming. Your certificate:\n\n{guest.certificate}\n"
            letters.post(tx, guest.email, f"Your certificate: {post.title}", body, about=post.id)
        return
    person = await tx.session.get_one(Member, guest.member_id)
    if not person.is_local:
        joining.answer(tx, guest)
