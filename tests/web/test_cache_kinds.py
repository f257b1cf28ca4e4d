# SPDX-License-Identifier: Apache-2.0
"""Kept pages of practices, resources and events equal fresh ones."""

import random
import re
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from starlette.applications import Starlette

from server.instance import Instance
from server.library import warning
from server.posts import editing
from server.settings import Federation, Settings
from storage import snapshots, versions
from storage.posts import Post
from tests import databases, makers
from tests.clock import TurnableClock
from tests.server.hub import bench as hub
from tests.server.library import bench as library
from tests.server.town import Town
from tests.statements import counted
from tests.web.kept import cache_of, fresh, other, town
from tests.web.shelf import Deed, Happens, Shelf
from web.app import create_app

ACTIVITY = "application/activity+json"
__all__ = ["other", "town"]
database_url = databases.database_url


@pytest.fixture
async def opened(town: Town, settings: Settings, clock: TurnableClock) -> AsyncIterator[Town]:
    """The same agency, answering everybody."""
    to_all = settings.model_copy(update={"federation": Federation.OPEN})
    instance = await Instance.open(to_all, clock=clock)
    yield Town(instance, town.sam, town.ana, town.dee, town.forum)
    await instance.close()


class Documents:
    """Posts as ActivityPub for anybody; `known` are those that were given again."""

    def __init__(self, app: Starlette, instance: Instance) -> None:
        self._app, self._instance = app, instance
        self.known: set[str] = set()

    async def must_be_right(self, paths: list[str]) -> None:
        async with (
            makers.browser(self._app) as client,
            makers.browser(create_app(self._instance, worker=False)) as anew,
        ):
            for path in paths:
                as_json = {"Accept": ACTIVITY}
                answer = await client.get(path, headers=as_json)
                right = await anew.get(path, headers=as_json)
                assert answer.status_code == right.status_code
                said, wanted = answer.json(), right.json()
                # Only when it was signed may differ.
                signed = said.pop("proof", {}), wanted.pop("proof", {})
                assert said == wanted, path
                assert signed[0].get("verificationMethod") == signed[1].get("verificationMethod")
                names = as_json | {"If-None-Match": answer.headers.get("etag", "")}
                rendered = cache_of(self._app).rendered
                again = await client.get(path, headers=names)
                if again.status_code == 304 and cache_of(self._app).rendered == rendered:
                    self.known.add(path)


async def test_a_kept_page_is_right_after_whatever_happens_in_whatever_order(
    app: Starlette,
    town: Town,
    other: Town,
    opened: Town,
    client: httpx.AsyncClient,
    clock: TurnableClock,
) -> None:
    shelf = Shelf(other)
    await shelf.fill()
    documents = Documents(create_app(opened.instance, worker=False), opened.instance)
    pages = {path: await client.get(path) for path in shelf.paths}
    assert [path for path, page in pages.items() if "etag" not in page.headers] == []

    async def deed_done(deed: Deed) -> None:
        async with other.instance.transaction() as tx:
            await deed(tx)

    async def days_go_by(days: int) -> None:
        clock.turn(minutes=60 * 24 * days)

    happens: list[Happens] = [partial(deed_done, deed) for deed in shelf.deeds()]
    happens += shelf.more()
    random.Random(11).shuffle(happens)
    # A fortnight later the events are over, in four years what was reviewed is old.
    happens += [partial(days_go_by, 14), partial(days_go_by, 4 * 366)]
    changed: set[str] = set()
    for happening in happens:
        await happening()
        for path in shelf.paths:
            known = {"If-None-Match": pages[path].headers.get("etag", '"none"')}
            answer, right = await client.get(path, headers=known), await fresh(town.instance, path)
            if answer.status_code == 304:
                assert pages[path].content == right.content, (path, happening)
                continue
            assert answer.content == right.content, (path, happening)
            changed.add(path)
            pages[path] = answer
        await documents.must_be_right(shelf.paths)
    assert changed == set(shelf.paths)
    async with other.instance.transaction() as tx:
        await warning.lift(tx, town.ana, shelf.practice)
        await editing.remove(tx, town.ana, await tx.session.get_one(Post, shelf.event.id))
    for path in shelf.paths:
        assert (await client.get(path)).content == (await fresh(town.instance, path)).content
    await documents.must_be_right(shelf.paths)
    # The resource names a page elsewhere, which might come to be held here as a post.
    assert documents.known == set(shelf.paths) - {f"/p/{shelf.resource.id}"}
    rendered = cache_of(app).rendered
    for path in shelf.paths[2:]:
        await client.get(path)
    assert cache_of(app).rendered == rendered


async def test_whatever_a_kept_page_reads_is_counted_when_it_changes(
    town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(town)
    await shelf.fill()
    for deed in shelf.deeds():
        if deed.__name__ != "retold":
            async with town.instance.transaction() as tx:
                await deed(tx)
    adapted, _ = await library.offered(town.instance, town.dee, town.forum, shelf.practice)
    copied = await hub.shared(town.instance, town.dee, town.forum, source=shelf.resource)
    asked: list[str] = []
    for kind in (snapshots._SqliteSnapshot, snapshots._PostgresSnapshot):
        fetch = kind.fetch

        async def noted(self: snapshots.Snapshot, sql: str, values: snapshots.Values, fetch=fetch):  # type: ignore[no-untyped-def]
            asked.append(sql)
            return await fetch(self, sql, values)

        monkeypatch.setattr(kind, "fetch", noted)
    pages = (*shelf.paths, f"/p/{adapted.id}", f"/p/{copied.id}", "/f/counters", "/")
    for path in pages:
        with counted() as sent:
            assert "etag" in (await client.get(path)).headers, path
        asked += sent
    read = {name for sql in asked for name in re.findall(r"\b(?:FROM|JOIN) (\w+)", sql)}
    # Lists that are given as one parameter are read on SQLite as if they were a table.
    unwatched = read - set(versions.WATCHED) - {"page_versions", "json_each"}
    assert not unwatched, "storage.versions has to count what changes in these"
    assert {"posts", "practices", "resource_links", "events", "reviews"} <= read
