# SPDX-License-Identifier: Apache-2.0
"""Who looks, and what they may see: decided here, once, for every surface."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_, select

from storage.forums import Forum, ForumMember, ForumSteward, Visibility
from storage.members import Member, MemberState
from storage.posts import Post, PostState


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


VISITOR = Viewer()


def visible_forums(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on `Forum` for what this viewer may know of."""
    public = Forum.visibility == Visibility.PUBLIC
    if viewer.peer is not None:
        # Peers are answered for what lives here; copies are passed on to nobody.
        shown = or_(public, Forum.visibility == Visibility.AGENCIES) if viewer.agency else public
        return and_(Forum.peer.is_(None), shown)
    if not viewer.is_member or viewer.member is None:
        return public
    mine = viewer.member.id
    listed = select(ForumMember.forum_id).where(ForumMember.member_id == mine)
    steered = select(ForumSteward.forum_id).where(ForumSteward.member_id == mine)
    return or_(Forum.visibility != Visibility.MEMBERS, Forum.id.in_(listed), Forum.id.in_(steered))


def visible_posts(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on `Post` joined to `Forum`; tombstones count as seen."""
    settled = Post.state.in_((PostState.LIVE, PostState.DELETED))
    if viewer.peer is not None:
        # What our members wrote in public forums elsewhere can be had from us as well, and by
        # the forum's own home in any case.
        ours = Post.author_id.in_(select(Member.id).where(Member.peer.is_(None)))
        theirs = or_(Forum.visibility == Visibility.PUBLIC, Forum.peer == viewer.peer)
        told = Post.state.in_((PostState.LIVE, PostState.SENT, PostState.DELETED))
        written = and_(ours, theirs, told, Forum.peer.is_not(None))
        return or_(and_(visible_forums(viewer), settled), written)
    if viewer.member is None:
        return and_(visible_forums(viewer), settled)
    own = and_(
        Post.author_id == viewer.member.id,
        Post.state.in_((PostState.SENT, PostState.REFUSED)),
    )
    sent = Post.state == PostState.SENT if viewer.is_member else false()
    return and_(visible_forums(viewer), or_(settled, own, sent))
