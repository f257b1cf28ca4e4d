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
    paths,
    routes,
    sights,
)
from web.app import create_app
from web.limits import Buckets

PRIVATE = re.compile(r"[a-z]+@riverton\.example\.gov|127\.0\.0\.1|\$argon2")
PEOPLE = ("sam", "ana", "lee", "rita", "tom", "kim")
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
async def test_ACL_01_04_17_no_answer_holds_words_that_its_reader_may_not_see(
    app: Starlette, world: World, everybody: list[Sight], mode: Federation
) -> None:
    """Every route of the application × every visibility × everybody."""
    for sight in everybody:
        looker = sight.looker
        if _answered_alike(sight, mode):
            continue
        _be_patient(app)
        met: set[str] = set()
        asked = paths(app, world, "GET", looker)
        assert len(asked) > 150
        for path in asked:
            response = await sight.get(path)
            found = words(response)
            too_much = found - looker.may_read(response)
            assert not too_much, f"{looker.name} reads {too_much} at {path}"
            told = addresses(response) - own_addresses(looker, path)
            assert not told, f"{looker.name} learns {told} at {path}"
            assert response.status_code < 500, f"{looker.name}: {path}"
            met |= found
        readable = looker.pages | looker.documents
        assert met == readable, f"{looker.name} was to find {readable}, at no address"


@pytest.mark.parametrize("mode", [Federation.ALLOWLIST, Federation.OPEN], indirect=True)
async def test_ACL_01_10_what_is_hidden_answers_like_what_is_not_there(
    app: Starlette, world: World, everybody: list[Sight], mode: Federation
) -> None:
    for sight in everybody:
        if not sight.looker.hidden or _answered_alike(sight, mode):
            continue
        _be_patient(app)
        for key in sorted(sight.looker.hidden):
            only = frozenset({key})
            names = {*world.ids(only), *world.handles(only), *world.draft_ids(only)}
            names |= {*world.review_ids(only), *world.review_tokens(only)}
            for path in paths(app, world, "GET", sight.looker, frozenset({key})):
                name = next((name for name in names if name in path), None)
                if name is None:
                    continue
                other = _missing(name)
                hidden = await sight.get(path)
                missing = await sight.get(path.replace(name, other))
                told = f"{sight.looker.name}: {path} {hidden.status_code}"
                assert hidden.status_code == missing.status_code, told
                assert _without(hidden, name) == _without(missing, other), told


def _missing(name: str) -> str:
    """A name of nothing, as long as the name of something."""
    if name.isdecimal():
        return str(int(name) + 1)
    handle, at, host = name.partition("@")
    return NOWHERE.ljust(len(handle), "x") + at + host


def _without(response: httpx.Response, name: str) -> tuple[str, dict[str, str]]:
    """Body and headers, whatever the thing asked for is called."""
    spellings = (name, name.replace("@", "%40"), name.replace("@", "%40").replace(":", "%3A"))
    body, headers = response.text, dict(response.headers)
    for spelling in spellings:
        body = body.replace(spelling, "NAME")
        headers = {key: value.replace(spelling, "NAME") for key, value in headers.items()}
    headers.pop("set-cookie", None)
    return body, headers


async def test_nothing_counts_what_its_reader_may_not_see(
    app: Starlette, world: World, everybody: list[Sight]
) -> None:
    """More is written where they may not look: no number, order or badge may change."""
    for sight in everybody:
        hidden = sight.looker.hidden & {*LOCAL}
        if not hidden or sight.looker.member == "rita":
            continue  # An administrator's first page counts the whole instance.
        replies = {str(post.id) for posts in world.posts.values() for post in posts[1:]}
        shown = [
            path
            for path in paths(app, world, "GET", sight.looker, EVERY - sight.looker.hidden)
            if not any(reply in path for reply in replies)
        ]
        if sight.looker.member is not None:
            await _answers(app, sight, shown)  # What was unread is read from here on.
        before = await _answers(app, sight, shown)
        for key in sorted(hidden):
            await world.write(key, world.sam)
            await world.publish(key, world.sam)
        after = await _answers(app, sight, shown)
        for path in shown:
            assert after[path] == before[path], f"{sight.looker.name}: {path}"


async def _answers(
    app: Starlette, sight: Sight, asked: list[str]
) -> dict[str, tuple[int, str, str]]:
    _be_patient(app)
    found = {}
    for path in asked:
        response = await sight.get(path)
        location = response.headers.get("location", "")
        # Drawn anew for every form that is shown.
        text = re.sub(r'name="once" value="[^"]+"', "", response.text)
        found[path] = (response.status_code, text, location)
    return found


async def test_ACL_07_nothing_can_be_done_to_what_one_may_not_see(
    app: Starlette, world: World, everybody: list[Sight]
) -> None:
    """Every form of the application, sent to everything hidden from its sender."""
    fields = {"source": "words", "title": "words", "tags": "", "locked": "1", "pinned": "1"}
    for sight in everybody:
        if sight.looker.accept != "text/html" or not sight.looker.hidden:
            continue
        hidden = sight.looker.hidden
        names = [*world.ids(hidden), *world.handles(hidden), *world.draft_ids(hidden)]
        names += [*world.review_ids(hidden), *world.review_tokens(hidden)]
        before = await _facts(world)
        found = paths(app, world, "POST", sight.looker, hidden)
        asked = [path for path in found if any(name in path for name in names)]
        assert asked
        for path in asked:
            response = await makers.submit(sight.client, path, **fields)
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
