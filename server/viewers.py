# SPDX-License-Identifier: Apache-2.0
"""Who looks, and what they may see: decided here, once, for every surface."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, false, or_, select

from storage.forums import Forum, ForumMember, ForumSteward, Visibility
from storage.members import Member, MemberState
from storage.plain import given
from storage.posts import Post, PostState


class Sight(NamedTuple):
    """The kind of a viewer: all that a condition's form depends on.

    Questions that are written once take who it is as the parameters `me` and `peer`.
    """

    peer: bool = False
    agency: bool = False
    signed_in: bool = False
    member: bool = False


@dataclass(frozen=True)
class Viewer:
    """A visitor, a signed-in member, or a verified peer that asks in its own name.

    `agency` is set for a peer that an allow rule names and that runs Guildhall.
    """

    member: Member | None = None
    peer: str | None = None
    agency: bool = False

    @property
    def is_member(self) -> bool:
        return (
            self.member is not None
            and self.member.is_local
            and self.member.state == MemberState.ACTIVE
        )

    @property
    def sight(self) -> Sight:
        return Sight(self.peer is not None, self.agency, self.member is not None, self.is_member)

    @property
    def values(self) -> dict[str, Any]:
        """Who it is, for the conditions of their sight."""
        values: dict[str, Any] = {}
        if self.member is not None:
            values["me"] = self.member.id
        if self.peer is not None:
            values["peer"] = self.peer
        return values


VISITOR = Viewer()


def visible_forums(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on `Forum` for what this viewer may know of."""
    return _forums(viewer.sight, viewer.member.id if viewer.member else None)


def visible_posts(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on `Post` joined to `Forum`; tombstones count as seen."""
    return _posts(viewer.sight, viewer.member.id if viewer.member else None, viewer.peer)


def forums_in(sight: Sight) -> ColumnElement[bool]:
    """`visible_forums` for whoever is given as the parameters."""
    return _forums(sight, given("me"))


def posts_in(sight: Sight) -> ColumnElement[bool]:
    """`visible_posts` for whoever is given as the parameters."""
    me, peer = given("me"), given("peer", Forum.peer.type)
    return _posts(sight, me, peer)


def _forums(sight: Sight, me: Any) -> ColumnElement[bool]:
    public = Forum.visibility == Visibility.PUBLIC
    if sight.peer:
        # Peers are answered for what lives here; copies are passed on to nobody.
        shown = or_(public, Forum.visibility == Visibility.AGENCIES) if sight.agency else public
        return and_(Forum.peer.is_(None), shown)
    if not sight.member:
        return public
    listed = select(ForumMember.forum_id).where(ForumMember.member_id == me)
    steered = select(ForumSteward.forum_id).where(ForumSteward.member_id == me)
    return or_(Forum.visibility != Visibility.MEMBERS, Forum.id.in_(listed), Forum.id.in_(steered))


def _posts(sight: Sight, me: Any, peer: Any) -> ColumnElement[bool]:
    settled = Post.state.in_((PostState.LIVE, PostState.DELETED))
    if sight.peer:
        # What our members wrote in public forums elsewhere can be had from us as well, and by
        # the forum's own home in any case.
        ours = Post.author_id.in_(select(Member.id).where(Member.peer.is_(None)))
        theirs = or_(Forum.visibility == Visibility.PUBLIC, Forum.peer == peer)
        told = Post.state.in_((PostState.LIVE, PostState.SENT, PostState.DELETED))
        written = and_(ours, theirs, told, Forum.peer.is_not(None))
        return or_(and_(_forums(sight, me), settled), written)
    if not sight.signed_in:
        return and_(_forums(sight, me), settled)
    own = and_(Post.author_id == me, Post.state.in_((PostState.SENT, PostState.REFUSED)))
    sent = Post.state == PostState.SENT if sight.member else false()
    return and_(_forums(sight, me), or_(settled, own, sent))
