# SPDX-License-Identifier: Apache-2.0
"""Certificates: who was there, on a page whose address cannot be guessed."""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.events.details import Details, of_row
from server.keys import Vault
from storage.events import Event, EventGuest
from storage.members import Member
from storage.posts import Post, PostState


def key_of(vault: Vault, guest: int) -> str:
    """What the address of a certificate ends in: nobody else can make it."""
    said = f"certificate {guest}".encode()
    return f"{guest}-{hmac.new(vault.media_secret, said, hashlib.sha256).hexdigest()[:40]}"


def address(vault: Vault, origin: str, guest: EventGuest) -> str:
    """Where a guest's certificate is."""
    return f"{origin}/p/{guest.post_id}/certificate/{key_of(vault, guest.id)}"


@dataclass(frozen=True)
class Certificate:
    """Who was at what; `agency` is the guest's, "" where it is not known."""

    name: str
    agency: str
    title: str
    details: Details
    organiser: str
    organised_by: Member

    @property
    def hours(self) -> str:
        """How long it was; "" for whole days."""
        if self.details.all_day:
            return ""
        minutes = round((self.details.ends - self.details.starts).total_seconds() / 60)
        hours, rest = divmod(minutes, 60)
        said = [f"{hours} hour{'' if hours == 1 else 's'}" if hours else "",
                f"{rest} minutes" if rest else ""]  # fmt: skip
        return " and ".join(part for part in said if part)


async def certificate(
    session: AsyncSession, vault: Vault, post_id: int, key: str, ours: str
) -> Certificate:
    """The certificate at an address; NotFound for a guess, and once it was taken back."""
    number, _, _ = key.partition("-")
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise NotFound
    if not hmac.compare_digest(key_of(vault, int(number)).encode(), key.encode(errors="replace")):
        raise NotFound
    guest = await session.get(EventGuest, int(number))
    if guest is None or guest.post_id != post_id or not guest.attended:
        raise NotFound
    post, event = await session.get(Post, post_id), await session.get(Event, post_id)
    if post is None or event is None or post.state == PostState.DELETED:
        raise NotFound
    author = await session.get_one(Member, post.author_id)
    member = await session.get(Member, guest.member_id) if guest.member_id else None
    agency = "" if member is None else member.agency or member.peer or ours
    name = member.name if member is not None else guest.name
    return Certificate(name, agency, post.title, of_row(event), author.agency or ours, author)
