# SPDX-License-Identifier: Apache-2.0
"""Filters: the member's, with what each looks for."""

from dataclasses import replace
from typing import Any

from server import filters
from server.errors import Invalid
from server.filters import Action, FilterDraft, Held, Phrase, Single
from web.api.calls import Call, Json, as_id
from web.api.entities.filters import drawn, drawn_phrase, drawn_single, in_first_version
from web.api.routes import call
from web.api.statuses import post_of

_YES = frozenset({"true", "1", "on", "True"})


async def _held(call: Call) -> Held:
    async with call.instance.reading() as session:
        return await filters.one(session, call.member, call.number())


async def _shown(call: Call, identifier: int) -> Json:
    async with call.instance.reading() as session:
        return drawn(await filters.one(session, call.member, identifier))


async def every(call: Call) -> Json:
    """The member's filters."""
    async with call.instance.reading() as session:
        return [drawn(one) for one in await filters.held(session, call.member)]


async def one(call: Call) -> Json:
    """A filter."""
    return drawn(await _held(call))


def _draft(call: Call, before: FilterDraft) -> FilterDraft:
    given = call.given
    seconds = as_id(given.text("expires_in")) or 0
    contexts = tuple(given.texts("context")) or before.contexts
    action = given.text("filter_action", before.action)
    return FilterDraft(given.text("title", before.title), contexts, action, seconds)


def _yes(value: Any, default: bool) -> bool:
    return default if value is None else value is True or str(value) in _YES


def _phrase(attributes: dict[str, Any]) -> Phrase:
    keyword = str(attributes.get("keyword") or "").replace("\0", "")
    return Phrase(keyword, _yes(attributes.get("whole_word"), False))


async def create(call: Call) -> Json:
    """Keep a filter."""
    draft = _draft(call, FilterDraft("", ()))
    phrases = [_phrase(one) for one in call.given.several(WORDS)]
    async with call.instance.transaction() as tx:
        made = await filters.create(tx, call.member, draft, phrases)
    return await _shown(call, made)


async def change(call: Call) -> Json:
    """Change a filter, and what it looks for."""
    held = await _held(call)
    row = held.row
    draft = _draft(call, FilterDraft(row.title, tuple(held.contexts), row.action))
    words = call.given.several(WORDS)
    dropped = {as_id(str(one["id"])) or 0 for one in words if one.get("id")}
    added = [_phrase(one) for one in words if not _yes(one.get("_destroy"), False)]
    async with call.instance.transaction() as tx:
        await filters.change(tx, held, draft, until=call.given.given("expires_in"))
        await filters.exchange_phrases(tx, held, dropped, added)
    return await _shown(call, row.id)


async def remove(call: Call) -> Json:
    """Drop a filter."""
    held = await _held(call)
    async with call.instance.transaction() as tx:
        await filters.remove(tx, held)
    return {}


async def phrases(call: Call) -> Json:
    """What a filter looks for."""
    return [drawn_phrase(one) for one in (await _held(call)).phrases]


async def add_phrase(call: Call) -> Json:
    """Have a filter look for one more word or phrase."""
    held, given = await _held(call), call.given
    phrase = Phrase(given.text("keyword"), given.yes("whole_word"))
    async with call.instance.transaction() as tx:
        made = await filters.add_phrase(tx, held, phrase)
    return await _drawn_phrase(call, made)


async def _of_phrase(call: Call, phrase: int) -> tuple[Held, Phrase]:
    async with call.instance.reading() as session:
        held = await filters.of_phrase(session, call.member, phrase)
    return held, next(one for one in held.phrases if one.id == phrase)


async def _drawn_phrase(call: Call, phrase: int) -> Json:
    return drawn_phrase((await _of_phrase(call, phrase))[1])


async def one_phrase(call: Call) -> Json:
    """A word or phrase that a filter looks for."""
    return await _drawn_phrase(call, call.number())


async def drop_phrase(call: Call) -> Json:
    """Have its filter look for it no longer."""
    await _of_phrase(call, call.number())
    async with call.instance.transaction() as tx:
        await filters.drop_phrase(tx, call.number())
    return {}


async def change_phrase(call: Call) -> Json:
    """Have its filter look for something else."""
    held, before = await _of_phrase(call, call.number())
    given = call.given
    keyword = given.text("keyword", before.keyword)
    phrase = Phrase(keyword, given.yes("whole_word", before.whole), before.id)
    async with call.instance.transaction() as tx:
        await filters.change_phrase(tx, held, phrase)
    return await _drawn_phrase(call, before.id)


async def singles(call: Call) -> Json:
    """The single statuses that a filter fits."""
    return [drawn_single(one) for one in (await _held(call)).singles]


async def add_single(call: Call) -> Json:
    """Have a filter fit a status, whatever it says."""
    held = await _held(call)
    post = await post_of(call, call.given.number("status_id") or 0)
    async with call.instance.transaction() as tx:
        made = await filters.add_post(tx, held, post)
    return drawn_single(Single(made, post.id))


async def _single(call: Call) -> Single:
    async with call.instance.reading() as session:
        return (await filters.of_single(session, call.member, call.number()))[1]


async def one_single(call: Call) -> Json:
    """A status that a filter fits by itself."""
    return drawn_single(await _single(call))


async def drop_single(call: Call) -> Json:
    """Have its filter fit it no longer."""
    single = await _single(call)
    async with call.instance.transaction() as tx:
        await filters.drop_post(tx, single.id)
    return {}


async def every_in_first_version(call: Call) -> Json:
    """What the member's filters look for, as apps of Mastodon 3 ask for it."""
    async with call.instance.reading() as session:
        held = await filters.held(session, call.member)
    return [in_first_version(one, phrase) for one in held for phrase in one.phrases]


async def one_in_first_version(call: Call) -> Json:
    """One thing that is looked for, as apps of Mastodon 3 ask for it."""
    return in_first_version(*await _of_phrase(call, call.number()))


def _first_draft(call: Call, before: FilterDraft) -> FilterDraft:
    """What `irreversible` and its like say, in the words of the second version."""
    hides = call.given.yes("irreversible", before.action == Action.HIDE)
    return replace(_draft(call, before), action=Action.HIDE if hides else Action.WARN)


async def create_in_first_version(call: Call) -> Json:
    """Keep a filter of one word or phrase, as apps of Mastodon 3 do."""
    given = call.given
    phrase = Phrase(given.text("phrase"), given.yes("whole_word"))
    if not phrase.keyword.strip():
        raise Invalid({"phrase": "Enter a word or a phrase."})
    draft = _first_draft(call, FilterDraft(phrase.keyword, ()))
    async with call.instance.transaction() as tx:
        made = await filters.create(tx, call.member, draft, [phrase])
        held = await filters.one(tx.session, call.member, made)
    return in_first_version(held, held.phrases[0])


async def change_in_first_version(call: Call) -> Json:
    """Change a word or phrase and where it is looked for, as apps of Mastodon 3 do."""
    held, phrase = await _of_phrase(call, call.number())
    given, row = call.given, held.row
    before = FilterDraft(row.title, tuple(held.contexts), row.action)
    draft = _first_draft(call, before)
    others = len(held.phrases) > 1 or bool(held.singles)
    if others and (draft != before or given.given("expires_in")):
        raise Invalid(message="This filter looks for more than that: change it as a whole.")
    changed = Phrase(
        given.text("phrase", phrase.keyword), given.yes("whole_word", phrase.whole), phrase.id
    )
    async with call.instance.transaction() as tx:
        await filters.change_phrase(tx, held, changed)
        if not others:
            await filters.change(tx, held, draft, until=given.given("expires_in"))
    return await one_in_first_version(call)


async def drop_in_first_version(call: Call) -> Json:
    """Have a word or phrase looked for no longer; a filter of nothing else goes with it."""
    held, phrase = await _of_phrase(call, call.number())
    async with call.instance.transaction() as tx:
        if len(held.phrases) > 1 or held.singles:
            await filters.drop_phrase(tx, phrase.id)
        else:
            await filters.remove(tx, held)
    return {}


WORDS = "keywords_attributes"
READ, WRITE = "read:filters", "write:filters"
TYPED = ("title", "context[]", "filter_action", "expires_in", WORDS)
FIRST = ("phrase", "context[]", "irreversible", "whole_word", "expires_in")
routes = [
    call("GET", "/api/v2/filters", every, READ, "[Filter]"),
    call("POST", "/api/v2/filters", create, WRITE, "Filter", *TYPED),
    call("GET", "/api/v2/filters/{id}", one, READ, "Filter"),
    call("PUT", "/api/v2/filters/{id}", change, WRITE, "Filter", *TYPED),
    call("DELETE", "/api/v2/filters/{id}", remove, WRITE, "Empty"),
    call("GET", "/api/v2/filters/{id}/keywords", phrases, READ, "[FilterKeyword]"),
    call(
        "POST", "/api/v2/filters/{id}/keywords", add_phrase, WRITE, "FilterKeyword", "keyword",
        "whole_word",
    ),
    call("GET", "/api/v2/filters/{id}/statuses", singles, READ, "[FilterStatus]"),
    call("POST", "/api/v2/filters/{id}/statuses", add_single, WRITE, "FilterStatus", "status_id!"),
    call("GET", "/api/v2/filters/statuses/{id}", one_single, READ, "FilterStatus"),
    call("DELETE", "/api/v2/filters/statuses/{id}", drop_single, WRITE, "Empty"),
    call("GET", "/api/v2/filters/keywords/{id}", one_phrase, READ, "FilterKeyword"),
    call(
        "PUT", "/api/v2/filters/keywords/{id}", change_phrase, WRITE, "FilterKeyword", "keyword",
        "whole_word",
    ),
    call("DELETE", "/api/v2/filters/keywords/{id}", drop_phrase, WRITE, "Empty"),
    call("GET", "/api/v1/filters", every_in_first_version, READ, "[V1::Filter]"),
    call("GET", "/api/v1/filters/{id}", one_in_first_version, READ, "V1::Filter"),
    call("POST", "/api/v1/filters", create_in_first_version, WRITE, "V1::Filter", *FIRST),
    call("PUT", "/api/v1/filters/{id}", change_in_first_version, WRITE, "V1::Filter", *FIRST),
    call("DELETE", "/api/v1/filters/{id}", drop_in_first_version, WRITE, "Empty"),
]  # fmt: skip
