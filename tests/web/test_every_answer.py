# SPDX-License-Identifier: Apache-2.0
"""What holds for every answer, and for every form, whatever was put in it."""

import itertools
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from server.hub import lists as hub_lists
from server.instance import Instance
from server.practices.facets import FACETS as PRACTICE_FACETS
from server.settings import Settings
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.server.calendar import bench as calendar
from tests.server.hub import bench as hub
from tests.server.library import bench as library
from tests.server.town import Town, row, settle
from tests.statements import counted
from web.app import create_app

SECRET = "the pepper of the password table"
MACHINE = {"Accept": "application/activity+json"}


@pytest.fixture
async def town(instance: Instance) -> Town:
    """Riverton with its forum."""
    return await settle(instance)


@pytest.fixture
async def visitor(app: Starlette, town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of a site one of whose rooms is broken."""

    async def broken(request: Request) -> None:
        raise RuntimeError(SECRET)

    app.router.routes.insert(0, Route("/broken", broken))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    origin = town.instance.settings.origin
    async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
        yield client


async def _answers(client: httpx.AsyncClient, town: Town) -> list[httpx.Response]:
    """A page, a document, a redirect, and every way to say no."""
    opener = await makers.thread(town.instance, town.ana, town.forum)
    path = f"/p/{opener.id}"
    first = await client.get(path)
    return [
        first,
        await client.get(path, headers={"If-None-Match": first.headers["etag"]}),
        await client.get(path, headers=MACHINE),
        await client.get(f"/u/{town.ana.handle}", headers=MACHINE),
        await client.get("/me"),
        await client.get("/p/1"),
        await client.get("/p/1", headers=MACHINE),
        await client.get("/nothing/here"),
        await client.get("/static/nothing.css"),
        await client.get("/static/style.css"),
        await client.get("/media/nothing"),
        await client.post("/sign-in", data={"name": "ana"}),
        await client.post("/inbox", content=b"{}"),
        await client.request("DELETE", path),
        await client.get("/broken"),
        await client.get("/", headers={"Host": "elsewhere.example"}),
    ]


async def test_WEB_01_04_XSS_08_every_answer_carries_the_headers_that_protect(
    visitor: httpx.AsyncClient, town: Town
) -> None:
    """Errors too, and what is made outside all of our own code."""
    answers = await _answers(visitor, town)
    assert {200, 303, 304, 404, 421, 500} <= {answer.status_code for answer in answers}
    for answer in answers:
        seen = f"{answer.request.method} {answer.request.url} {answer.status_code}"
        policy = answer.headers.get("content-security-policy", "none")
        assert "unsafe" not in policy, seen
        assert "default-src 'none'" in policy, seen
        for part in ("base-uri 'none'", "frame-ancestors 'none'", "form-action"):
            assert part in policy or "sandbox" in policy, seen
        assert answer.headers["x-content-type-options"] == "nosniff", seen
        assert answer.headers["referrer-policy"] == "same-origin", seen
        assert "Accept" in answer.headers["vary"], seen


async def test_WEB_04_ACC_04_over_https_browsers_keep_to_it_and_so_do_cookies(
    settings: Settings, clock: TurnableClock
) -> None:
    secure = Settings(**settings.model_dump() | {"origin": "https://riverton.example.gov"})
    instance = await Instance.open(secure, clock=clock)
    try:
        sam = await makers.member(instance, "sam", admin=True)
        async with makers.browser(create_app(instance, worker=False)) as browser:
            given = [(await browser.get("/sign-in")).headers["set-cookie"]]
            fields = {"login": sam.handle, "password": makers.PASSWORD}
            answer = await makers.submit(browser, "/sign-in", **fields)
            given += answer.headers.get_list("set-cookie")
            assert {one.partition("=")[0] for one in given} >= {
                "__Host-guildhall_form", "__Host-guildhall_session",
            }  # fmt: skip
            for one in given:
                parts = {part.strip().lower() for part in one.split(";")}
                assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts, one
                assert not [part for part in parts if part.startswith("domain")], one
            for path in ("/", "/nothing", "/static/style.css", "/media/x", "/inbox", "/p/1"):
                answer = await browser.get(path)
                seconds = answer.headers["strict-transport-security"].partition("max-age=")[2]
                assert int(seconds.partition(";")[0]) >= 31_536_000, path
    finally:
        await instance.close()


@pytest.mark.parametrize(
    "way", ["../", "..%2f", "%2e%2e/", "..%5c", "....//", "%2fetc/passwd?", "\x00"]
)
async def test_WEB_05_no_path_leads_out_of_a_folder(
    visitor: httpx.AsyncClient, town: Town, way: str
) -> None:
    secret = (town.instance.settings.state / "master.key").read_bytes()
    for folder in ("/static/", "/media/", "/media/remote/", "/static/x/", "/u/", "/f/"):
        for target in ("master.key", "templates.py", "etc/passwd", "../state/master.key"):
            answer = await visitor.get(f"{folder}{quote(way * 6, safe='%/.?')}{target}")
            assert answer.status_code in {400, 403, 404}, answer.request.url
            assert secret not in answer.content
            assert b"root:" not in answer.content
            assert b"SPDX" not in answer.content


async def test_WEB_12_a_bug_tells_an_id_and_nothing_else(visitor: httpx.AsyncClient) -> None:
    for accept in ("text/html", "application/json", "application/activity+json"):
        answer = await visitor.get("/broken", headers={"Accept": accept})
        assert answer.status_code == 500
        assert "name " in answer.text
        for word in (SECRET, "Traceback", "RuntimeError", ".py"):
            assert word not in answer.text
    for path in ("/metrics", "/docs", "/openapi.json", "/debug", "/server-status"):
        assert (await visitor.get(path)).status_code == 404, path


async def test_WEB_03_nobody_keeps_what_is_a_members(client: httpx.AsyncClient, town: Town) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    await makers.sign_in(client, town.instance, town.ana)
    for path in ("/", "/me", "/me/drafts", "/notifications", f"/p/{opener.id}", "/p/1"):
        answer = await client.get(path)
        assert "no-store" in answer.headers["cache-control"], path
        assert "private" in answer.headers["cache-control"], path


async def test_WEB_10_other_sites_read_nothing_with_the_cookies_of_a_member(
    client: httpx.AsyncClient, town: Town
) -> None:
    opener = await makers.thread(town.instance, town.ana, town.forum)
    await makers.sign_in(client, town.instance, town.ana)
    foreign = {"Origin": "https://evil.example"}
    for path in ("/", "/me", f"/p/{opener.id}", "/nodeinfo/2.1", "/.well-known/nodeinfo"):
        for accept in ("text/html", "application/activity+json"):
            answer = await client.get(path, headers=foreign | {"Accept": accept})
            assert "access-control-allow-credentials" not in answer.headers, path
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed is None or (allowed == "*" and "nodeinfo" in path), path


async def test_ACL_11_a_form_sets_what_it_shows_and_nothing_more(
    client: httpx.AsyncClient, town: Town
) -> None:
    """Fields that a form does not have are as if they were not there."""
    await makers.sign_in(client, town.instance, town.ana)
    before = await row(town.instance, Member, town.ana.id)
    more = {
        "is_admin": "1", "admin": "on", "state": "suspended", "handle": "sam", "id": "1",
        "email": "evil@evil.example", "uri": "https://evil.example/u/x", "origin": "evil.example",
        "created": "1999-01-01", "password_hash": "x", "inbox": "https://evil.example/inbox",
    }  # fmt: skip
    answer = await makers.submit(client, "/me", name="Ana R.", role_title="clerk", bio="", **more)
    assert answer.status_code == 303
    after = await row(town.instance, Member, town.ana.id)
    assert after.name == "Ana R."
    for field in ("is_admin", "state", "handle", "email", "uri", "created", "password_hash"):
        assert getattr(after, field) == getattr(before, field), field


async def test_ACL_11_a_thread_is_by_who_posts_it(client: httpx.AsyncClient, town: Town) -> None:
    await makers.sign_in(client, town.instance, town.dee)
    path = f"/f/{town.forum.handle}/new"
    more = {
        "author": str(town.sam.id), "author_id": str(town.sam.id), "pinned": "1", "id": "7",
        "published": "1999-01-01", "state": "deleted", "endorsement_count": "99",
    }  # fmt: skip
    words = {"title": "By whom?", "source": "By me.", "language": "en"}
    answer = await makers.submit(client, path, **words, **more)
    assert answer.status_code == 303, answer.text
    shown = (await client.get(answer.headers["location"])).text
    assert "By whom?" in shown
    assert f'data-author="{town.dee.handle}' in shown
    assert "Pinned" not in shown


async def test_DOS_04_a_form_of_a_thousand_fields_or_without_end_is_refused(
    client: httpx.AsyncClient, town: Town
) -> None:
    await makers.sign_in(client, town.instance, town.ana)
    edge = "b"
    part = f'--{edge}\r\nContent-Disposition: form-data; name="f{{}}"\r\n\r\nx\r\n'
    many = "".join(part.format(number) for number in range(1_000)) + f"--{edge}--\r\n"
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    answer = await client.post("/me", content=many.encode(), headers=kind)
    assert answer.status_code == 400

    large = part.format(1)[:-3] + "x" * (1024 * 1024 + 1) + f"\r\n--{edge}--\r\n"
    answer = await client.post("/me", content=large.encode(), headers=kind)
    assert answer.status_code == 413

    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64:
            sent += 1
            yield b"x" * 65_536

    answer = await client.post("/me", content=endless(), headers=kind)
    assert answer.status_code == 411
    headers = kind | {"Content-Length": "9000000000"}
    assert (await client.post("/me", content=b"x", headers=headers)).status_code == 413
    assert (await client.get("/me")).status_code == 200


MOST_QUESTIONS = 60
JUNK = ["1e9", "-1", "0", "9" * 400, "'", "\x00", "%ff", "NaN", "a-b-c"]
# What the languages of full-text searches have of their own.
JUNK += [
    '"',
    '"*',
    "NEAR(a b, 1e9)",
    "a AND",
    "title:x",
    "^a",
    "a*" * 200,
    "!&|:*",
    "<-> (",
    "{a b}:",
]


# The ends of what a calendar may be asked for, and beyond.
JUNK += ["2200-12-31", "2000-01-01", "9999-12-31", "0001-01-01", "../../etc/passwd", "Europe/" * 99]
LISTS: dict[str, tuple[str, ...]] = {
    "/": ("after",),
    "/forums": ("after", "q"),
    "/f/counters": ("after", "show"),
    "/u/ana": ("after",),
    "/tags/queues": ("after",),
    "/agencies": ("after", "q"),
    "/search": ("q", "after", "kind"),
    "/practices": (*PRACTICE_FACETS, "before", "after", "like"),
    "/practices/compare": ("p",),
    "/practices/keeping": ("q", "after"),
    "/resources": (*hub_lists.FACETS, "before", "after"),
    "/resources/licences": ("q",),
    "/catalog.jsonld": ("page", "after"),
    "/events": ("view", "date", "zone", "kind", "forum", "mine", "after"),
    "/events.ics": ("kind", "forum", "date"),
    "/events/embed": ("view", "date", "zone", "kind", "forum"),
    "/mentoring": ("programme", "after"),
    "/instance/forums": ("after", "page"),
    "/instance/mentors": ("programme",),
    "/api/v1/timelines/public": ("limit", "max_id", "since_id", "min_id", "local"),
    "/api/v1/timelines/tag/queues": ("limit", "max_id", "any[]"),
    "/api/v1/directory": ("limit", "offset", "order"),
    "/api/v1/trends/statuses": ("limit", "offset"),
    "/api/v1/accounts/lookup": ("acct",),
    "/api/v2/search": ("q", "limit", "offset", "type", "max_id"),
    "/api/v1/streaming/hashtag": ("tag",),
}
ANSWERED = {200, 303, 400, 401, 403, 404, 406, 422, 429}


async def test_DOS_12_junk_in_a_query_is_answered_in_bounds(
    client: httpx.AsyncClient, town: Town
) -> None:
    """Each list with each kind of junk at once; as a member each parameter alone with some."""
    opener = await makers.thread(town.instance, town.ana, town.forum, tags=("queues",))
    await library.published(town.instance, town.ana, town.forum)
    await hub.shared(town.instance, town.ana, town.forum)
    await calendar.announced(town.instance, town.ana, town.forum)
    asked = {**LISTS, f"/p/{opener.id}": ("after", "on"), f"/p/{opener.id}/history": ("after",)}
    turns = itertools.cycle(JUNK)

    async def ask(path: str, given: dict[str, str]) -> None:
        with counted() as sent:
            answer = await client.get(path, params=given)
        assert answer.status_code in ANSWERED, (path, given, answer.status_code)
        assert len(answer.content) < 200_000, (path, given)
        assert len(sent) < MOST_QUESTIONS, (path, given)

    for path, names in asked.items():
        assert (await client.get(path)).status_code in {200, 303, 401, 404}, path
        for junk in JUNK:
            await ask(path, dict.fromkeys(names, junk))
    await makers.sign_in(client, town.instance, town.dee)
    for path, names in asked.items():
        for name in names:
            for junk in itertools.islice(turns, 3):
                await ask(path, {name: junk})
