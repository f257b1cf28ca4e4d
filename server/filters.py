# SPDX-License-Identifier: Apache-2.0
"""Words that a member would rather not meet: their filters, and what fits."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Gone, Invalid, NotFound, SignInNeeded
from server.facts import PostDeleted
from server.transaction import Transaction
from storage.base import UtcDateTime
from storage.filters import Filter, FilterKeyword, FilterPost
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Post, PostState

MOST = 30
MOST_KEYWORDS = 30
MOST_POSTS = 50
LONGEST = 100
LONGEST_TIME = timedelta(days=3_650)


class Context(StrEnum):
    """Where a filter holds, in Mastodon's words."""

    HOME = "home"
    NOTIFICATIONS = "notifications"
    PUBLIC = "public"
    THREAD = "thread"
    ACCOUNT = "account"


class Action(StrEnum):
    """What becomes of what fits: folded, or left out."""

    WARN = "warn"
    HIDE = "hide"


@dataclass(frozen=True)
class Phrase:
    """What is looked for; `whole` only where it stands as a word of its own."""

    keyword: str
    whole: bool = True
    id: int = 0


@dataclass(frozen=True)
class FilterDraft:
    """A filter as it is typed; it is dropped after `seconds`, unless they are 0."""

    title: str
    contexts: tuple[str, ...]
    action: str = Action.WARN
    seconds: int = 0


@dataclass(frozen=True)
class Single:
    """A post that a filter fits, whatever it says."""

    id: int
    post: int


@dataclass(frozen=True)
class Held:
    """A filter with what it looks for."""

    row: Filter
    phrases: tuple[Phrase, ...]
    singles: tuple[Single, ...] = ()

    @property
    def contexts(self) -> list[str]:
        return self.row.contexts.split()


@dataclass(frozen=True)
class Match:
    """A filter that fits a post, and the phrases by which it does.

    `posts` holds the post's id where it was filtered by itself.
    """

    held: Held
    phrases: tuple[str, ...]
    posts: tuple[int, ...] = ()


@lru_cache(maxsize=2_048)
def _pattern(keyword: str, whole: bool) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in keyword.split())
    if whole:
        # A phrase may begin or end with a sign, at which no word ends.
        words = (r"\b" if keyword[:1].isalnum() else "") + words
        words += r"\b" if keyword[-1:].isalnum() else ""
    return re.compile(words, re.IGNORECASE)


def matches(held: Iterable[Held], post: int, title: str, html: str) -> list[Match]:
    """The filters that fit the words of a post, or the post itself."""
    words = ""
    found = []
    for one in held:
        words = words or f"{title}\n{text.plain(html)}"
        fitting = tuple(
            phrase.keyword
            for phrase in one.phrases
            if _pattern(phrase.keyword, phrase.whole).search(words)
        )
        itself = tuple(single.post for single in one.singles if single.post == post)
        if fitting or itself:
            found.append(Match(one, fitting, itself))
    return found


def check(draft: FilterDraft) -> FilterDraft:
    """A filter fit to be kept; Invalid with a sentence for each field that is not."""
    title = text.clean_line(draft.title, LONGEST)
    contexts = tuple(one for one in Context if one in draft.contexts)
    faults = {}
    if not title:
        faults["title"] = "Give the filter a name, such as what it keeps away."
    if not contexts or len(contexts) < len(set(draft.contexts)):
        faults["context"] = "Choose at least one place where it holds."
    if draft.action not in set(Action):
        faults["filter_action"] = "Choose whether what fits is folded or left out."
    if faults:
        raise Invalid(faults)
    return FilterDraft(title, contexts, draft.action, max(0, min(draft.seconds, 10**9)))


def check_phrases(phrases: Sequence[Phrase]) -> list[Phrase]:
    """The phrases, each once; Invalid where one is too long or they are too many."""
    found: dict[str, Phrase] = {}
    for phrase in phrases:
        keyword = " ".join(phrase.keyword.split())
        if len(keyword) > LONGEST:
            raise Invalid({"keywords": f"Keep each word or phrase under {LONGEST} characters."})
        if keyword:
            found.setdefault(keyword.casefold(), Phrase(keyword, phrase.whole))
    if len(found) > MOST_KEYWORDS:
        raise Invalid({"keywords": f"A filter can have at most {MOST_KEYWORDS} words or phrases."})
    return list(found.values())


async def create(
    tx: Transaction, member: Member, draft: FilterDraft, phrases: Sequence[Phrase]
) -> int:
    """Keep a filter; its id."""
    if not member.is_local:
        raise SignInNeeded
    draft, phrases = check(draft), check_phrases(phrases)
    held = select(func.count()).where(Filter.member_id == member.id)
    if (await tx.session.execute(held)).scalar_one() >= MOST:
        raise Invalid(message=f"You can have {MOST} filters at most: remove one first.")
    made = Filter(id=tx.ids.next(), member_id=member.id, created=tx.now, title="", action="")
    _fill(tx, made, draft)
    tx.session.add(made)
    await tx.session.flush()
    for phrase in phrases:
        _add(tx, made.id, phrase)
    await tx.session.flush()
    return made.id


def _fill(tx: Transaction, row: Filter, draft: FilterDraft) -> None:
    lasting = min(timedelta(seconds=draft.seconds), LONGEST_TIME)
    row.title, row.action = draft.title, draft.action
    row.contexts = " ".join(draft.contexts)
    row.until = tx.now + lasting if draft.seconds else None


def _add(tx: Transaction, filter_id: int, phrase: Phrase) -> int:
    identifier = tx.ids.next()
    tx.session.add(
        FilterKeyword(
            id=identifier,
            filter_id=filter_id,
            keyword=phrase.keyword,
            whole_word=phrase.whole,
        )
    )
    return identifier


async def change(tx: Transaction, held: Held, draft: FilterDraft, *, until: bool) -> None:
    """Change a filter of the member's; the time it lasts only where `until` says so."""
    draft = check(draft)
    row = await tx.session.get_one(Filter, held.row.id)
    before = row.until
    _fill(tx, row, draft)
    row.until = row.until if until else before
    await tx.session.flush()


async def remove(tx: Transaction, held: Held) -> None:
    """Drop a filter of the member's."""
    for table in (FilterKeyword, FilterPost):
        await tx.session.execute(delete(table).where(table.filter_id == held.row.id))
    await tx.session.execute(delete(Filter).where(Filter.id == held.row.id))


async def add_phrase(tx: Transaction, held: Held, phrase: Phrase) -> int:
    """Have a filter look for one more phrase; its id."""
    [*_, kept] = check_phrases([*held.phrases, phrase]) or [phrase]
    if not phrase.keyword.strip():
        raise Invalid({"keyword": "Enter a word or a phrase."})
    if any(one.keyword.casefold() == kept.keyword.casefold() for one in held.phrases):
        return next(o.id for o in held.phrases if o.keyword.casefold() == kept.keyword.casefold())
    made = _add(tx, held.row.id, kept)
    await tx.session.flush()
    return made


async def change_phrase(tx: Transaction, held: Held, phrase: Phrase) -> None:
    """Have a filter look for something else instead of the phrase with this id."""
    if not phrase.keyword.strip():
        raise Invalid({"keyword": "Enter a word or a phrase."})
    [kept] = check_phrases([phrase])
    others = (one.keyword.casefold() for one in held.phrases if one.id != phrase.id)
    if kept.keyword.casefold() in others:
        raise Invalid({"keyword": "This filter looks for that already."})
    row = await tx.session.get_one(FilterKeyword, phrase.id)
    row.keyword, row.whole_word = kept.keyword, kept.whole
    await tx.session.flush()


async def exchange_phrases(
    tx: Transaction, held: Held, dropped: Collection[int], added: Sequence[Phrase]
) -> None:
    """Have a filter look for some phrases no longer, and for others instead."""
    if not {one.id for one in held.phrases}.issuperset(dropped):
        raise NotFound
    if any(not one.keyword.strip() for one in added):
        raise Invalid({"keyword": "Enter a word or a phrase."})
    kept = [one for one in held.phrases if one.id not in dropped]
    check_phrases([*kept, *added])
    await tx.session.execute(delete(FilterKeyword).where(FilterKeyword.id.in_(dropped)))
    known = {one.keyword.casefold() for one in kept}
    for one in check_phrases(added):
        if one.keyword.casefold() not in known:
            _add(tx, held.row.id, one)
    await tx.session.flush()


async def drop_phrase(tx: Transaction, phrase: int) -> None:
    """Have a filter of the member's look for a phrase no longer."""
    await tx.session.execute(delete(FilterKeyword).where(FilterKeyword.id == phrase))


async def add_post(tx: Transaction, held: Held, post: Post) -> int:
    """Have a filter fit a post that the member was found to see; the id of that."""
    if post.state == PostState.DELETED:
        raise Gone
    before = next((one.id for one in held.singles if one.post == post.id), None)
    if before is not None:
        return before
    if len(held.singles) >= MOST_POSTS:
        raise Invalid({"status_id": f"A filter can have at most {MOST_POSTS} single posts."})
    made = FilterPost(id=tx.ids.next(), filter_id=held.row.id, post_id=post.id)
    tx.session.add(made)
    await tx.session.flush()
    return made.id


async def drop_post(tx: Transaction, single: int) -> None:
    """Have a filter of the member's fit a post no longer."""
    await tx.session.execute(delete(FilterPost).where(FilterPost.id == single))


async def forget_post(tx: Transaction, fact: PostDeleted) -> None:
    await tx.session.execute(delete(FilterPost).where(FilterPost.post_id == fact.post))


async def tidy(tx: Transaction) -> None:
    """Drop the filters whose time is over."""
    if await ask(tx.session, _OVER, now=tx.now):
        over = select(Filter.id).where(Filter.until <= tx.now)
        for table in (FilterKeyword, FilterPost):
            await tx.session.execute(delete(table).where(table.filter_id.in_(over)))
        await tx.session.execute(delete(Filter).where(Filter.until <= tx.now))


_OVER = Question(select(Filter.id).where(Filter.until <= given("now", UtcDateTime())).limit(1), int)
ANY = Question(select(Filter.id).where(Filter.member_id == given("me")).limit(1), int)
"""Whether a member has any: one of them, if so."""


async def held(session: AsyncSession, member: Member) -> list[Held]:
    """The member's filters, the oldest first."""
    if not await ask(session, ANY, me=member.id):
        return []
    rows = select(Filter).where(Filter.member_id == member.id).order_by(Filter.id)
    filters = (await session.execute(rows)).scalars().all()
    found: dict[int, list[Phrase]] = {one.id: [] for one in filters}
    words = select(FilterKeyword).where(FilterKeyword.filter_id.in_(found))
    for one in (await session.execute(words.order_by(FilterKeyword.id))).scalars():
        found[one.filter_id].append(Phrase(one.keyword, one.whole_word, one.id))
    singles: dict[int, list[Single]] = {one.id: [] for one in filters}
    posts = select(FilterPost).where(FilterPost.filter_id.in_(found)).order_by(FilterPost.id)
    for row in (await session.execute(posts)).scalars():
        singles[row.filter_id].append(Single(row.id, row.post_id))
    return [Held(one, tuple(found[one.id]), tuple(singles[one.id])) for one in filters]


async def one(session: AsyncSession, member: Member, identifier: int) -> Held:
    """A filter of the member's."""
    for found in await held(session, member):
        if found.row.id == identifier:
            return found
    raise NotFound


async def of_phrase(session: AsyncSession, member: Member, phrase: int) -> Held:
    """The filter of the member's that looks for this phrase."""
    for found in await held(session, member):
        if any(one.id == phrase for one in found.phrases):
            return found
    raise NotFound


async def of_single(session: AsyncSession, member: Member, single: int) -> tuple[Held, Single]:
    """The filter of the member's that fits a post by itself, and how."""
    for found in await held(session, member):
        for one in found.singles:
            if one.id == single:
                return found, one
    raise NotFound


async def of_context(session: AsyncSession, member: Member | None, context: Context) -> list[Held]:
    """The filters that hold at a place."""
    if member is None:
        return []
    return [one for one in await held(session, member) if context in one.contexts]
