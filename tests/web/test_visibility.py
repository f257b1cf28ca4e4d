# SPDX-License-Identifier: Apache-2.0
"""Nobody reads, counts or guesses what they may not see."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from server.instance import Instance
from server.settings import Federation, Settings
from storage.facts import FactRow
from tests import makers
from tests.web.exposure import (
    EVERY,
    LOCAL,
    NOWHERE,
    TAINT,
    Looker,
    Sight,
    World,
    found_world,
    sights,
)
from tests.web.walked import paths, routes
from web import activitypub
from web.app import create_app
from web.limits import Buckets

PRIVATE = re.compile(r"[a-z]+@riverton\.example\.gov|127\.0\.0\.1|\$argon2")
PEOPLE = ("sam", "ana", "lee", "rita", "tom", "kim", "mia")
Walked = dict[str, httpx.Response]
# Status, text and where else to go, by address.
Shown = dict[str, tuple[int, str, str]]
MODES = [Federation.ALLOWLIST, Federation.OPEN, Federation.OFF]


@pytest.fixture(params=[Federation.ALLOWLIST])
def mode(request: pytest.FixtureRequest) -> Federation:
    """How the instance federates."""
    found: Federation = request.param
    return found


@pytest.fixture
def settings(settings: Settings, mode: Federation) -> Settings:
    """Riverton, in this mode."""
    return Settings(**settings.model_dump() | {"federation": mode})


@pytest.fixture
async def world(instance: Instance) -> World:
    """A forum of every visibility."""
    return await found_world(instance)


@pytest.fixture
async def everybody(app: Starlette, world: World, mode: Federation) -> AsyncIterator[list[Sight]]:
    """All who might look."""
    await app.state.wire.open()
    async with sights(app, world, mode) as found:
        yield found
    await app.state.wire.close()


def _answered_alike(sight: Sight, mode: Federation) -> bool:
    """Whether the run in the usual mode says it all: people get the same pages in every mode."""
    return mode is not Federation.ALLOWLIST and sight.looker.accept == "text/html"


def _asked(app: Starlette, world: World, sight: Sight, keys: frozenset[str] = EVERY) -> list[str]:
    """Where somebody looks: for pages in the usual mode only, since whoever asks gets the same."""
    usual = world.instance.settings.federates is Federation.ALLOWLIST
    doors = None if usual else activitypub.routes
    return paths(app, world, "GET", sight.looker, keys, doors=doors)


def _be_patient(app: Starlette) -> None:
    """Forget how often was asked: the limits of visitors have tests of their own."""
    app.state.buckets = Buckets()


def words(response: httpx.Response) -> set[str]:
    """Whose words an answer holds, in its body or its headers."""
    everything = response.text + "\n".join(f"{k}: {v}" for k, v in response.headers.items())
    # Signatures and keys hold every short string sooner or later; the words are long and known.
    return {found.lower() for found in TAINT.findall(everything)} & EVERY


def addresses(response: httpx.Response) -> set[str]:
    """The e-mail and network addresses of people, and what their passwords became."""
    return set(PRIVATE.findall(response.text))


def own_addresses(looker: Looker, path: str) -> set[str]:
    """What of these somebody may read: their own in their settings; an admin, of their people."""
    if looker.member == "rita" and path.startswith("/admin"):
        return {f"{name}@riverton.example.gov" for name in PEOPLE}
    return {f"{looker.member}@riverton.example.gov"} if path.startswith("/me") else set()


@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_ACL_01_04_10_17_nobody_reads_guesses_or_counts_what_they_may_not_see(
    app: Starlette, world: World, everybody: list[Sight], mode: Federation
) -> None:
    """Every route of the application × every visibility × everybody."""
    shown: list[tuple[Sight, Shown]] = []
    for sight in everybody:
        await sight.get("/f/room_public")  # That a machine called is shown to the others.
    for sight in everybody:
        if _answered_alike(sight, mode):
            continue
        walked = await _walk(app, world, sight)
        _says_no_more(sight.looker, walked, mode)
        # What was unread in a member's walk is read from there on, and pages say so.
        known = walked if sight.looker.member is None else {}
        if mode is not Federation.OFF:
            await _hidden_is_like_missing(app, world, sight, known)
        # An administrator's first page counts the whole instance.
        counts = sight.looker.hidden & {*LOCAL} and sight.looker.member != "rita"
        if counts and mode is Federation.ALLOWLIST:
            shown.append((sight, await _shown(app, world, sight, known)))
    await _nothing_changes(app, world, shown)


async def _walk(app: Starlette, world: World, sight: Sight) -> Walked:
    """What somebody is answered at every address they can come to."""
    _be_patient(app)
    asked = _asked(app, world, sight)
    assert len(asked) > 150
    return {path: await sight.get(path) for path in asked}


def _says_no_more(looker: Looker, walked: Walked, mode: Federation) -> None:
    """No answer holds words or addresses of people that its reader may not see."""
    met: set[str] = set()
    for path, response in walked.items():
        found = words(response)
        too_much = found - looker.may_read(path, response)
        assert not too_much, f"{looker.name} reads {too_much} at {path}"
        told = addresses(response) - own_addresses(looker, path)
        assert not told, f"{looker.name} learns {told} at {path}"
        assert response.status_code < 500, f"{looker.name}: {path}"
        met |= found
    readable = looker.pages | looker.documents
    found_in_pages = looker.pages if mode is not Federation.ALLOWLIST else frozenset()
    assert met | found_in_pages == readable, f"{looker.name} was to find {readable}, at no address"


async def _hidden_is_like_missing(
    app: Starlette, world: World, sight: Sight, known: Walked
) -> None:
    """What is hidden from somebody answers them like what is not there."""
    _be_patient(app)
    # What is not there answers alike whatever it is called, but for the length of it.
    nothing: dict[tuple[str, int], tuple[int, str, dict[str, str]]] = {}
    for key in sorted(sight.looker.hidden):
        only = frozenset({key})
        names = {*world.ids(only), *world.handles(only)}
        names |= {*world.draft_ids(only), *world.pair_ids(only)}
        names |= {*world.review_ids(only), *world.review_tokens(only)}
        for path in _asked(app, world, sight, only):
            name = next((name for name in names if name in path), None)
            if name is None:
                continue
            hidden = known.get(path) or await sight.get(path)
            kind = path.replace(name, "NAME"), len(name)
            if kind not in nothing:
                other = _missing(name)
                nothing[kind] = _without(await sight.get(path.replace(name, other)), other)
            told = f"{sight.looker.name}: {path} {hidden.status_code}"
            assert _without(hidden, name) == nothing[kind], told


def _missing(name: str) -> str:
    """A name of nothing, as long as the name of something."""
    if name.isdecimal():
        return str(int(name) + 1)
    handle, at, host = name.partition("@")
    return NOWHERE.ljust(len(handle), "x") + at + host


def _without(response: httpx.Response, name: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers, whatever the thing asked for is called."""
    spellings = (name, name.replace("@", "%40"), name.replace("@", "%40").replace(":", "%3A"))
    body, headers = response.text, dict(response.headers)
    for spelling in spellings:
        body = body.replace(spelling, "NAME")
        headers = {key: value.replace(spelling, "NAME") for key, value in headers.items()}
    headers.pop("set-cookie", None)
    return response.status_code, body, headers


async def _shown(app: Starlette, world: World, sight: Sight, known: Walked) -> Shown:
    """What somebody is answered wherever nothing is hidden from them."""
    replies = {str(post.id) for posts in world.posts.values() for post in posts[1:]}
    asked = [
        path
        for path in paths(app, world, "GET", sight.looker, EVERY - sight.looker.hidden)
        if not any(reply in path for reply in replies)
    ]
    missing = await _answers(app, sight, [path for path in asked if path not in known])
    return missing | {path: _answer(known[path]) for path in asked if path in known}


async def _nothing_changes(app: Starlette, world: World, shown: list[tuple[Sight, Shown]]) -> None:
    """More is written where they may not look: no number, order or badge may change."""
    written: set[str] = set()
    for sight, before in sorted(shown, key=lambda one: len(one[0].looker.hidden & {*LOCAL})):
        # Whatever was written for those who see more is hidden from those who see less.
        hidden = sight.looker.hidden & {*LOCAL}
        assert written <= hidden
        for key in sorted(hidden - written):
            await world.write(key, world.sam)
            await world.publish(key, world.sam)
        written |= hidden
        after = await _answers(app, sight, list(before))
        for path, answer in before.items():
            assert after[path] == answer, f"{sight.looker.name}: {path}"


async def _answers(app: Starlette, sight: Sight, asked: list[str]) -> Shown:
    _be_patient(app)
    return {path: _answer(await sight.get(path)) for path in asked}


def _answer(response: httpx.Response) -> tuple[int, str, str]:
    # What is drawn anew for every form that is shown is left out.
    text = re.sub(r'name="once" value="[^"]+"', "", response.text)
    return response.status_code, text, response.headers.get("location", "")


async def test_ACL_07_nothing_can_be_done_to_what_one_may_not_see(
    app: Starlette, world: World, everybody: list[Sight]
) -> None:
    """Every form of the application, sent to everything hidden from its sender."""
    fields = {"source": "words", "title": "words", "tags": "", "locked": "1", "pinned": "1"}
    for sight in everybody:
        if sight.looker.accept != "text/html" or not sight.looker.hidden:
            continue
        hidden = sight.looker.hidden
        names = [*world.ids(hidden), *world.handles(hidden)]
        names += [*world.draft_ids(hidden), *world.pair_ids(hidden)]
        names += [*world.review_ids(hidden), *world.review_tokens(hidden)]
        before = await _facts(world)
        found = paths(app, world, "POST", sight.looker, hidden)
        asked = [path for path in found if any(name in path for name in names)]
        assert asked
        token = await makers.form_token(sight.client)
        # Files that come in pieces carry both in headers.
        headers = {"X-CSRF-Token": token, "Tus-Resumable": "1.0.0"}
        for path in asked:
            response = await sight.client.post(
                path, data={"csrf": token, **fields}, headers=headers
            )
            told = f"{sight.looker.name}: {path} {response.status_code}"
            assert not words(response) & hidden, told
            assert 300 <= response.status_code < 500, told
            if sight.looker.member is not None and not path.endswith("/inbox"):
                assert response.status_code == 404, told
            if response.status_code == 303:
                assert response.headers["location"].startswith("/sign-in"), told
        assert await _facts(world) == before


async def _facts(world: World) -> int:
    async with world.instance.reading() as session:
        return (await session.execute(select(func.count(FactRow.id)))).scalar_one()


def test_the_walk_covers_both_faces_of_every_room(instance: Instance) -> None:
    found = {route.path for route in routes(create_app(instance, worker=False))}
    for path in ("/p/{number}", "/p/{id}", "/f/{handle}", "/f/{where}", "/nodeinfo/{version}"):
        assert path in found
