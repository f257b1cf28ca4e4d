# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every role against every permission."""

import pytest

from server.errors import NotAllowed, SignInNeeded
from server.permissions import TABLE, Permission, Role, Standing, may, may_enter, must
from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.posts import Post

P = Permission
ANYONE_SIGNED_IN = {P.POST_THREAD, P.REPLY, P.ENDORSE, P.FOLLOW, P.JOIN_EVENT}
OWN = {
    P.EDIT_POST,
    P.DELETE_POST,
    P.CONFIRM_PRACTICE,
    P.TAKE_BACK_QUOTE,
    P.RUN_EVENT,
    P.ASK_FOR_REVIEW,
}
KEEPING = {
    P.WITHDRAW_PRACTICE,
    P.REMOVE_POST,
    P.PIN,
    P.LOCK,
    P.EDIT_FORUM,
    P.LIST_MEMBERS,
    P.CONFIRM_PRACTICE,
}
KEEPING |= {P.SHUT_OUT}
ADMIN_ONLY = {
    P.NAME_STEWARDS,
    P.CREATE_FORUM,
    P.INVITE,
    P.DECIDE_APPS,
    P.DECIDE_POLICY,
    P.ADMINISTER,
    P.KEEP_LIBRARY,
    P.NAME_REVIEWERS,
    P.OPEN_PROGRAMME,
}

LEAVE: dict[Role, set[Permission]] = {
    Role.MEMBER: ANYONE_SIGNED_IN | {P.REPORT, P.TAKE_PART_IN_MENTORING},
    Role.OUTSIDER: ANYONE_SIGNED_IN,
    Role.AUTHOR: OWN,
    Role.STEWARD: KEEPING | {P.RUN_EVENT, P.KEEP_REVIEWS},
    Role.ADMIN: KEEPING | ADMIN_ONLY,
}


def person(
    number: int = 1,
    *,
    peer: str | None = None,
    admin: bool = False,
    state: MemberState = MemberState.ACTIVE,
) -> Member:
    return Member(id=number, peer=peer, is_admin=admin, state=state)


def forum(visibility: Visibility = Visibility.PUBLIC, peer: str | None = None) -> Forum:
    return Forum(id=9, visibility=visibility, peer=peer)


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("role", list(Role))
def test_the_table(role: Role, permission: Permission) -> None:
    assert (role in TABLE[permission]) is (permission in LEAVE[role])


@pytest.mark.parametrize("permission", list(Permission))
def test_a_visitor_and_a_suspended_member_may_do_nothing(permission: Permission) -> None:
    post = Post(author_id=1)
    for who in (None, person(admin=True, state=MemberState.SUSPENDED)):
        assert not may(Standing(who, forum(), steward=True, listed=True), permission, post)


def test_an_author_changes_only_their_own_post() -> None:
    ana = Standing(person(1), forum())
    assert may(ana, P.EDIT_POST, Post(author_id=1))
    assert not may(ana, P.EDIT_POST, Post(author_id=2))
    assert not may(Standing(person(3, admin=True), forum()), P.EDIT_POST, Post(author_id=1))


def test_an_admin_keeps_no_forum_of_another_agency() -> None:
    admin = person(admin=True)
    assert may(Standing(admin, forum()), P.LOCK)
    assert not may(Standing(admin, forum(peer="lakeside.example.gov")), P.LOCK)


def test_the_admin_of_another_agency_is_a_stranger_here() -> None:
    stranger = Standing(person(peer="lakeside.example.gov"))
    assert not any(may(stranger, permission) for permission in ADMIN_ONLY)


@pytest.mark.parametrize(
    ("visibility", "entering"),
    [
        (Visibility.PUBLIC, "visitor outsider agency member listed steward"),
        (Visibility.AGENCIES, "agency member listed steward"),
        (Visibility.INSTANCE, "member listed steward"),
        (Visibility.MEMBERS, "listed steward"),
    ],
)
def test_who_may_enter(visibility: Visibility, entering: str) -> None:
    here, there = person(), person(peer="lakeside.example.gov")
    place = forum(visibility)
    standings = {
        "visitor": Standing(None, place),
        "outsider": Standing(there, place),
        "agency": Standing(there, place, agency=True),
        "member": Standing(here, place),
        "listed": Standing(here, place, listed=True),
        "steward": Standing(here, place, steward=True),
    }
    assert [name for name, standing in standings.items() if may_enter(standing)] == entering.split()


def test_a_closed_forum_closes_every_permission() -> None:
    outside = Standing(person(), forum(Visibility.MEMBERS))
    assert not any(may(outside, permission, Post(author_id=1)) for permission in Permission)


def test_the_refusal_says_whether_signing_in_would_help() -> None:
    with pytest.raises(SignInNeeded):
        must(Standing(None, forum()), P.REPLY)
    with pytest.raises(NotAllowed, match="see the admin pages"):
        must(Standing(person()), P.ADMINISTER)


@pytest.mark.parametrize("permission", list(Permission))
def test_who_is_shut_out_reads_and_takes_leave_of_what_is_theirs(permission: Permission) -> None:
    post = Post(author_id=1)
    left = {P.FOLLOW, P.DELETE_POST, P.TAKE_BACK_QUOTE, P.REPORT}
    out = Standing(person(), forum(), blocked=True)
    assert may_enter(out)
    assert may(out, permission, post) is (permission in left)
    if permission not in left:
        with pytest.raises(NotAllowed, match="shut you out"):
            must(out, permission, post)
