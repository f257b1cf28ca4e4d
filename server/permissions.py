# SPDX-License-Identifier: Apache-2.0
"""The single table of who may do what."""

from dataclasses import dataclass
from enum import StrEnum

from server.errors import NotAllowed, SignInNeeded
from server.shown import ShownForum, ShownReply
from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.posts import Post


class Permission(StrEnum):
    """A deed that needs leave."""

    POST_THREAD = "post a thread"
    REPLY = "reply"
    ENDORSE = "endorse"
    FOLLOW = "follow"
    EDIT_POST = "edit a post"
    DELETE_POST = "delete a post"
    REMOVE_POST = "remove another's post"
    PIN = "pin"
    LOCK = "lock"
    CONFIRM_PRACTICE = "say that a practice still holds"
    WITHDRAW_PRACTICE = "withdraw another's practice"
    ASK_FOR_REVIEW = "have a practice reviewed"
    KEEP_REVIEWS = "keep the reviews of a forum"
    NAME_REVIEWERS = "name reviewers of our agency"
    JOIN_EVENT = "sign up for an event"
    RUN_EVENT = "run an event"
    EDIT_FORUM = "change a forum"
    NAME_STEWARDS = "name stewards"
    LIST_MEMBERS = "list who may enter"
    CREATE_FORUM = "create a forum"
    INVITE = "invite"
    DECIDE_POLICY = "decide whom to federate with"
    DECIDE_APPS = "decide which apps may be used"
    ADMINISTER = "see the admin pages"
    KEEP_LIBRARY = "keep the library"
    SHUT_OUT = "shut people out of a forum"
    REPORT = "report a post"
    TAKE_BACK_QUOTE = "say where a post is quoted"
    OPEN_PROGRAMME = "open a mentoring programme"
    TAKE_PART_IN_MENTORING = "take part in mentoring"


class Role(StrEnum):
    """What somebody is to the thing at hand."""

    MEMBER = "member"
    OUTSIDER = "outsider"
    AUTHOR = "author"
    STEWARD = "steward"
    ADMIN = "admin"


_PEOPLE = frozenset({Role.MEMBER, Role.OUTSIDER})
_KEEPERS = frozenset({Role.STEWARD, Role.ADMIN})

_LEFT_TO_THE_SHUT_OUT = frozenset(
    {
        Permission.FOLLOW,
        Permission.DELETE_POST,
        Permission.TAKE_BACK_QUOTE,
        Permission.REPORT,
    }
)

TABLE: dict[Permission, frozenset[Role]] = {
    Permission.POST_THREAD: _PEOPLE,
    Permission.REPLY: _PEOPLE,
    Permission.ENDORSE: _PEOPLE,
    Permission.FOLLOW: _PEOPLE,
    Permission.EDIT_POST: frozenset({Role.AUTHOR}),
    Permission.DELETE_POST: frozenset({Role.AUTHOR}),
    Permission.REMOVE_POST: _KEEPERS,
    Permission.PIN: _KEEPERS,
    Permission.LOCK: _KEEPERS,
    Permission.CONFIRM_PRACTICE: _KEEPERS | {Role.AUTHOR},
    Permission.WITHDRAW_PRACTICE: _KEEPERS,
    Permission.ASK_FOR_REVIEW: frozenset({Role.AUTHOR}),
    # Stewards alone: who administers the site takes no part in what reviewers write.
    Permission.KEEP_REVIEWS: frozenset({Role.STEWARD}),
    Permission.NAME_REVIEWERS: frozenset({Role.ADMIN}),
    Permission.JOIN_EVENT: _PEOPLE,
    Permission.RUN_EVENT: frozenset({Role.AUTHOR, Role.STEWARD}),
    Permission.EDIT_FORUM: _KEEPERS,
    Permission.NAME_STEWARDS: frozenset({Role.ADMIN}),
    Permission.LIST_MEMBERS: _KEEPERS,
    Permission.CREATE_FORUM: frozenset({Role.ADMIN}),
    Permission.INVITE: frozenset({Role.ADMIN}),
    Permission.DECIDE_POLICY: frozenset({Role.ADMIN}),
    Permission.DECIDE_APPS: frozenset({Role.ADMIN}),
    Permission.ADMINISTER: frozenset({Role.ADMIN}),
    Permission.KEEP_LIBRARY: frozenset({Role.ADMIN}),
    Permission.SHUT_OUT: _KEEPERS,
    Permission.REPORT: frozenset({Role.MEMBER}),
    Permission.TAKE_BACK_QUOTE: frozenset({Role.AUTHOR}),
    Permission.OPEN_PROGRAMME: frozenset({Role.ADMIN}),
    Permission.TAKE_PART_IN_MENTORING: frozenset({Role.MEMBER}),
}


@dataclass(frozen=True)
class Standing:
    """What a person is in a forum; `agency` says their host is an agency we list.

    `blocked` that they are shut out of it: they read, and leave.
    """

    member: Member | None
    forum: Forum | ShownForum | None = None
    steward: bool = False
    listed: bool = False
    agency: bool = False
    blocked: bool = False

    def roles(self, post: Post | ShownReply | None = None) -> frozenset[Role]:
        """Every role this person has; none for visitors and for accounts not active."""
        if self.member is None or self.member.state != MemberState.ACTIVE:
            return frozenset()
        found = {Role.MEMBER if self.member.is_local else Role.OUTSIDER}
        if self.steward:
            found.add(Role.STEWARD)
        # An admin keeps the forums of this instance, not those of other homes.
        if self.member.is_admin and (self.forum is None or self.forum.is_local):
            found.add(Role.ADMIN)
        if post is not None and post.author_id == self.member.id:
            found.add(Role.AUTHOR)
        return frozenset(found)


def may_enter(standing: Standing) -> bool:
    """Whether the forum is open to this person at all (its visibility)."""
    forum, member = standing.forum, standing.member
    if forum is None or forum.visibility == Visibility.PUBLIC:
        return True
    if member is None or member.state != MemberState.ACTIVE:
        return False
    if forum.visibility == Visibility.AGENCIES:
        return member.is_local or standing.agency
    if forum.visibility == Visibility.INSTANCE:
        return member.is_local
    return member.is_local and (standing.listed or standing.steward)


def may(standing: Standing, permission: Permission, post: Post | ShownReply | None = None) -> bool:
    """Whether this person may do it here."""
    if standing.blocked and permission not in _LEFT_TO_THE_SHUT_OUT:
        return False
    return may_enter(standing) and bool(TABLE[permission] & standing.roles(post))


def must(standing: Standing, permission: Permission, post: Post | ShownReply | None = None) -> None:
    """Refuse unless `may`."""
    if may(standing, permission, post):
        return
    if standing.member is None:
        raise SignInNeeded
    if standing.blocked:
        raise NotAllowed("Those who look after this forum have shut you out of it.")
    raise NotAllowed(f"You may not {permission.value} here.")
