# SPDX-License-Identifier: Apache-2.0
"""Saying that one's agency uses a resource, and how it went.

It is a reply in the resource's discussion, so that other software shows it, and a row that says
of which resource and with which verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Invalid, NotFound
from server.posts import writing
from server.posts.drafts import ReplyDraft
from server.resources.terms import VERDICT_SENTENCES, VERDICTS
from server.transaction import Transaction
from server.viewers import Sight, Viewer, posts_in
from storage.forums import Forum
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceUse

MOST_SHOWN = 200
LONGEST = 5_000


@dataclass(frozen=True)
class SaidUse:
    """What is said of a resource: which one, in which version, and the verdict."""

    of: str
    of_version: int | None
    verdict: str


@dataclass(frozen=True)
class Use:
    """An agency's word on a resource; `post` is the reply that it stands in."""

    post: int
    agency: str
    verdict: str
    of_version: int | None


async def say(tx: Transaction, member: Member, resource: Post, typed: Mapping[str, str]) -> Post:
    """Say it: a reply under the resource. `typed` holds `verdict` and `words`."""
    verdict, words = typed.get("verdict", ""), typed.get("words", "").strip()
    faults = {}
    if verdict not in VERDICTS:
        faults["verdict"] = "Choose how it went."
    if len(words) > LONGEST:
        faults["words"] = f"Keep it under {LONGEST:,} characters: this has {len(words):,}."
    if verdict == "not" and not words:
        faults["words"] = "Say in a sentence what did not work, so that it can become better."
    if faults:
        raise Invalid(faults)
    held = await tx.session.get(Resource, resource.id)
    if held is None:
        raise NotFound
    agency = member.agency or tx.settings.agency_name
    sentence = VERDICT_SENTENCES[verdict].format(agency=text.clean_line(agency, 200))
    source = f"{sentence}\n\n{words}" if words else sentence
    reply = await writing.reply(tx, member, ReplyDraft(source, resource.id, resource.language))
    await apply(tx, reply, SaidUse(resource.uri, held.version, verdict))
    return reply


async def apply(tx: Transaction, reply: Post, said: SaidUse) -> None:
    """Keep what a reply says, without asking whether it may be; it is said once."""
    if await tx.session.get(ResourceUse, reply.id) is not None:
        return
    author = await tx.session.get_one(Member, reply.author_id)
    agency = author.agency or author.peer or tx.settings.agency_name
    tx.session.add(
        ResourceUse(
            post_id=reply.id, of=said.of, of_version=said.of_version, verdict=said.verdict,
            agency=agency,
        )
    )  # fmt: skip
    await tx.session.flush()


@cache
def _uses(sight: Sight) -> Question[Use]:
    return Question(
        select(Post.id, ResourceUse.agency, ResourceUse.verdict, ResourceUse.of_version)
        .join(ResourceUse, ResourceUse.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(
            ResourceUse.of == given("uri", Post.uri.type),
            Post.state.in_((PostState.LIVE, PostState.SENT)),
            posts_in(sight),
        )
        .order_by(Post.id.desc())
        .limit(MOST_SHOWN),
        Use,
    )


async def uses_of(session: AsyncSession, viewer: Viewer, uri: str) -> tuple[Use, ...]:
    """The last word of each agency that the viewer may see, the latest first."""
    found: dict[str, Use] = {}
    for use in await ask(session, _uses(viewer.sight), uri=uri, **viewer.values):
        found.setdefault(use.agency, use)
    return tuple(found.values())
