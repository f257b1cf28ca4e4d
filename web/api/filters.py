# SPDX-License-Identifier: Apache-2.0
"""Filters: the member's, with what each looks for."""

from typing import Any

from server import filters
from server.errors import Invalid, NotFound
from server.filters import FilterDraft, Held, Phrase
from web.api.calls import Call, Json, as_id
from web.api.entities.filters import drawn, drawn_phrase, in_first_version
from web.api.routes import call

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


def _attributes(call: Call) -> list[dict[str, Any]]:
    """`keywords_attributes`, as a list or an object by number in JSON, or as a form."""
    found: dict[str, dict[str, Any]] = {}
    begin = "keywords_attributes["
    for key, values in call.given.values.items():
        if key.startswith(begin) and key.endswith("]"):
            number, _, name = key[len(begin) : -1].partition("][")
            several = values if number == "" else values[-1:]
            for place, value in enumerate(several):
                found.setdefault(f"{number} {place}", {})[name] = value
    for value in call.given.values.get("keywords_attributes", ()):
        listed = list(value.values()) if isinstance(value, dict) else value
        for place, one in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(one, dict):
                found[f"json {place}"] = one
    return list(found.values())


def _yes(value: Any, default: bool) -> bool:
    return default if value is None else value is True or str(value) in _YES


def _phrase(attributes: dict[str, Any]) -> Phrase:
    keyword = str(attributes.get("keyword") or "").replace("\0", "")
    return Phrase(keyword, _yes(attributes.get("whole_word"), False))


async def create(call: Call) -> Json:
    """Keep a filter."""
    draft = _draft(call, FilterDraft("", ()))
    phrases = [_phrase(one) for one in _attributes(call)]
    async with call.instance.transaction() as tx:
        made = await filters.create(tx, call.member, draft, phrases)
    return await _shown(call, made)


async def change(call: Call) -> Json:
    """Change a filter, and what it looks for."""
    held = await _held(call)
    row = held.row
    draft = _draft(call, FilterDraft(row.title, tuple(held.contexts), row.action))
    async with call.instance.transaction() as tx:
        await filters.change(tx, held, draft, until=call.given.given("expires_in"))
        for one in _attributes(call)[: filters.MOST_KEYWORDS]:
            number = as_id(str(one.get("id") or ""))
            if number is not None:
                if all(phrase.id != number for phrase in held.phrases):
                    raise NotFound
                await filters.drop_phrase(tx, number)
            held = await filters.one(tx.session, call.member, row.id)
            if not _yes(one.get("_destroy"), False):
                await filters.add_phrase(tx, held, _phrase(one))
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


async def no_statuses(call: Call) -> Json:
    """Filters look for words, not for single statuses."""
    await _held(call)
    return []


async def every_in_first_version(call: Call) -> Json:
    """What the member's filters look for, as apps of Mastodon 3 ask for it."""
    async with call.instance.reading() as session:
        held = await filters.held(session, call.member)
    return [in_first_version(one, phrase) for one in held for phrase in one.phrases]


async def one_in_first_version(call: Call) -> Json:
    """One thing that is looked for, as apps of Mastodon 3 ask for it."""
    return in_first_version(*await _of_phrase(call, call.number()))


async def not_in_first_version(call: Call) -> Json:
    """Filters are changed by the second version of these calls."""
    raise Invalid(message="Filters are made and changed by /api/v2/filters.")


READ, WRITE = "read:filters", "write:filters"
TYPED = ("title", "context[]", "filter_action", "expires_in", "keywords_attributes")
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
    call("GET", "/api/v2/filters/{id}/statuses", no_statuses, READ, "[String]"),
    call("GET", "/api/v2/filters/keywords/{id}", one_phrase, READ, "FilterKeyword"),
    call("DELETE", "/api/v2/filters/keywords/{id}", drop_phrase, WRITE, "Empty"),
    call("GET", "/api/v1/filters", every_in_first_version, READ, "[V1::Filter]"),
    call("GET", "/api/v1/filters/{id}", one_in_first_version, READ, "V1::Filter"),
    call("POST", "/api/v1/filters", not_in_first_version, WRITE, "V1::Filter"),
]  # fmt: skip
