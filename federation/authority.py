# SPDX-License-Identifier: Apache-2.0
"""Who may speak for what: asked by every handler, decided here only.

The signer is what the request's signature, or an integrity proof, has shown; nothing here
believes what a document says of itself. Ids come in as the vocabulary normalised them, and
the value that was checked is the value that is stored. Source: FEP-fe34, FEP-1b12.
"""

from functools import lru_cache

from federation.errors import WireError
from federation.origins import is_below, origin_of
from federation.vocabulary.activities import Activity, Envelope
from federation.vocabulary.posts import Post as WirePost

# Actors come again and again; a refusal is not kept.
_origin_of_actor = lru_cache(maxsize=4_096)(origin_of)


class Unauthorised(WireError):
    """Whoever signed this may not speak for it."""

    permanent = True


def same_origin(one: str, other: str) -> bool:
    """Scheme, host and port alike; False for anything that is no http(s) URL."""
    try:
        origin = _origin_of_actor(other)
        return is_below(one, origin) or origin_of(one) == origin
    except WireError:
        return False


def must_be_own_words(signer: str, activity: Activity | Envelope) -> None:
    """The activity is the signer's, and its id is of the signer's origin."""
    if activity.actor != signer:
        raise Unauthorised("The activity's actor is not who signed it.")
    if not same_origin(activity.id, signer):
        raise Unauthorised("The activity's id is not of its actor's origin.")


def must_be_inner(activity: Activity) -> None:
    """An activity inside another: its id, where it has one, is of its actor's origin."""
    if activity.id and not same_origin(activity.id, activity.actor):
        raise Unauthorised("The activity's id is not of its actor's origin.")


def must_own(actor: str, post: WirePost, *, ours: str) -> None:
    """The actor wrote the post, which is of the actor's origin and not of ours."""
    if post.author != actor:
        raise Unauthorised("The post is attributed to somebody else.")
    if not same_origin(post.id, actor):
        raise Unauthorised("The post's id is not of its author's origin.")
    if same_origin(post.id, ours):
        raise Unauthorised("The post's id is one of ours.")


def must_be_author(actor: str, author: str) -> None:
    """Only its author may change a post."""
    if actor != author:
        raise Unauthorised("Only its author may change a post.")


def must_undo_own(actor: str, inner: Activity) -> None:
    """Only who did it may undo it."""
    if inner.actor != actor:
        raise Unauthorised("Only who did it may undo it.")


def must_be_forum(actor: str, forum: str) -> None:
    """Only a forum itself answers for it, and announces what is in it."""
    if actor != forum:
        raise Unauthorised("Only the forum itself may say this.")


def may_speak_for_forum(actor: str, forum: str) -> bool:
    """Whether somebody's word in a forum is that of its home: of reviews, or of a withdrawal.

    The home lets nobody of its own say so but those who look after the forum.
    """
    return same_origin(actor, forum)


def must_be_of_origin(actor: str, described: str) -> None:
    """Only a server's own actors say that another of its actors has changed."""
    if not same_origin(actor, described):
        raise Unauthorised("Only its own server may say that an actor has changed.")


def must_be_instance(actor: str) -> None:
    """Only the instance itself speaks for an agency; its actor is at a fixed address."""
    try:
        is_instance = actor == f"{origin_of(actor)}/instance"
    except WireError:
        is_instance = False
    if not is_instance:
        raise Unauthorised("Only the instance itself may say this for its agency.")


def may_remove(actor: str, author: str, *, steward: bool) -> bool:
    """Its author may delete a post, a steward of its forum may remove it."""
    return actor == author or steward


def is_instance(actor: str) -> bool:
    """Whether an actor is an instance itself, which signs for members that stay unnamed."""
    return actor.partition("://")[2].partition("/")[2] == "instance"


def must_offer_own(actor: str, agreement: str) -> None:
    """An agreement is offered by its own server, so that no other can be spoken for."""
    if not same_origin(actor, agreement):
        raise Unauthorised("The agreement is not of its actor's origin.")


def must_be_asked(actor: str, asked: str) -> None:
    """Only who was asked may answer, and only who asked may take it back."""
    if actor != asked:
        raise Unauthorised("Only the two of a match may answer for it.")
