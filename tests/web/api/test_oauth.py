# SPDX-License-Identifier: Apache-2.0
"""Apps come in by consent, reach as far as it says, and go out at once."""

import base64
import hashlib
import re
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from server.apps import clients, scopes
from server.instance import Instance
from server.members import profile
from server.settings import Apps
from storage.apps import App as AppRow
from storage.apps import AppCode, AppToken
from storage.members import Member
from tests import makers
from tests.clock import TurnableClock
from tests.web.api.app import OUT_OF_BAND, App, code_for, exchanged, question, registered

REDIRECT = "https://app.example/callback"
WHO = "/api/v1/accounts/verify_credentials"


async def test_an_app_comes_in_by_code_and_goes_out_with_one_button(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, instance: Instance
) -> None:
    registration = await registered(client)
    asked = question(registration)
    unknown = await client.get("/oauth/authorize", params=asked)
    assert unknown.status_code == 303
    assert unknown.headers["location"].startswith("/sign-in?next=")
    page = await browser.get("/oauth/authorize", params=asked)
    assert "Let Tusky in?" in page.text
    assert "post, reply, endorse and change things as you" in page.text
    code = await code_for(browser, asked)
    answer = await exchanged(client, registration, code)
    body = answer.json()
    assert {"access_token", "token_type", "scope", "created_at"} <= body.keys()
    assert body["scope"] == "read write follow push"
    assert answer.headers["access-control-allow-origin"] == "*"
    app = App(client, body["access_token"])
    assert (await app.get(WHO))["acct"] == "ana"
    assert (await app.get("/api/v1/apps/verify_credentials"))["name"] == "Tusky"
    async with instance.reading() as session:
        kept = (await session.execute(select(AppToken))).scalars().one()
        assert body["access_token"] not in repr(vars(kept))
        held = (await session.execute(select(AppRow))).scalars().one()
        assert registration["client_secret"] not in repr(vars(held))
    mine = await browser.get("/me/apps")
    assert "Tusky" in mine.text
    assert "last used" in mine.text
    await makers.submit(browser, "/me/apps", app=registration["id"])
    assert (await app.get(WHO, 401)) == {"error": "The access token is invalid"}
    assert "No app acts for you" in (await browser.get("/me/apps")).text


async def test_the_app_is_sent_back_with_its_state_and_proves_that_it_asked(
    client: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    registration = await registered(client, REDIRECT)
    verifier = "a-verifier-of-at-least-forty-three-characters-long"
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    asked = question(
        registration, state="s t&t", code_challenge=challenge, code_challenge_method="S256"
    )
    page = await browser.get("/oauth/authorize", params=asked)
    assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]
    answer = await makers.submit(browser, "/oauth/authorize", **asked, action="allow")
    there = urlsplit(answer.headers["location"])
    sent = parse_qs(there.query)
    assert there._replace(query="").geturl() == REDIRECT
    assert sent["state"] == ["s t&t"]
    code = sent["code"][0]
    for wrong in ({}, {"code_verifier": "x" * 43}):
        refused = await exchanged(client, registration, code, **wrong)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await exchanged(client, registration, code, code_verifier=verifier)).status_code == 200
    denied = await makers.submit(browser, "/oauth/authorize", **asked, action="deny")
    assert parse_qs(urlsplit(denied.headers["location"]).query)["error"] == ["access_denied"]
    plain = asked | {"code_challenge_method": "plain"}
    told = await browser.get("/oauth/authorize", params=plain)
    assert parse_qs(urlsplit(told.headers["location"]).query)["error"] == ["invalid_request"]


@pytest.mark.parametrize(
    "other",
    [
        f"{REDIRECT}/", f"{REDIRECT}?x=1", f"{REDIRECT}#x", f"{REDIRECT}/../callback",
        "https://app.example/callbac", "https://app.example/CALLBACK", "http://app.example/callback",
        "https://app.example:8443/callback", "https://app.example.evil.example/callback",
        "https://evil.example/callback", "https://app.example@evil.example/callback",
        "//app.example/callback", "https://app.example/callback%00", "", OUT_OF_BAND,
    ],
)  # fmt: skip
async def test_ACC_09_nobody_is_sent_to_an_address_that_was_not_registered(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, other: str
) -> None:
    registration = await registered(client, REDIRECT)
    asked = question(registration) | {"redirect_uri": other}
    for answer in (
        await browser.get("/oauth/authorize", params=asked),
        await makers.submit(browser, "/oauth/authorize", **asked, action="allow"),
    ):
        assert answer.status_code == 422
        assert "location" not in answer.headers
    code = await code_for(browser, question(registration))
    refused = await exchanged(client, registration, code, redirect_uri=other)
    assert refused.json()["error"] == "invalid_grant"


async def test_ACC_09_a_code_works_once_for_its_app_and_for_ten_minutes(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, clock: TurnableClock
) -> None:
    mine, other = await registered(client), await registered(client)
    code = await code_for(browser, question(mine))
    for wrong in ({"client_secret": "x"}, {"client_id": "x"}):
        assert (await exchanged(client, mine, code, **wrong)).status_code == 401
    assert (await exchanged(client, other, code)).json()["error"] == "invalid_grant"
    token = (await exchanged(client, mine, code)).json()["access_token"]
    app = App(client, token)
    await app.get(WHO)
    # Somebody else has it too, so what it gave ends as well (RFC 6749, 4.1.2).
    assert (await exchanged(client, mine, code)).json()["error"] == "invalid_grant"
    await app.get(WHO, 401)
    late = await code_for(browser, question(mine))
    clock.turn(minutes=11)
    assert (await exchanged(client, mine, late)).json()["error"] == "invalid_grant"


async def test_an_app_for_itself_basic_credentials_json_and_giving_back(
    client: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    mine, other = await registered(client), await registered(client)
    pair = f"{quote(mine['client_id'])}:{quote(mine['client_secret'])}"
    basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    sent = {"grant_type": "client_credentials", "scope": "read"}
    answer = await client.post("/oauth/token", json=sent, headers=basic)
    alone = App(client, answer.json()["access_token"])
    assert (await alone.get("/api/v1/apps/verify_credentials"))["id"] == mine["id"]
    assert "authenticated user" in (await alone.get(WHO, 401))["error"]
    assert await alone.get("/api/v1/timelines/public") == []
    for edition in ("v1", "v2"):
        # Apps read the number at its head, and take a later one for more than there is.
        said = (await alone.get(f"/api/{edition}/instance"))["version"]
        assert re.fullmatch(r"4\.2\.0 \(compatible; Guildhall \d[\w.]*\)", said)
    more = {"grant_type": "client_credentials", "scope": "read admin:read"}
    wrong = await client.post("/oauth/token", json=more, headers=basic)
    assert wrong.json()["error"] == "invalid_scope"
    for grant, said in (("password", "unsupported_grant_type"), ("", "invalid_request")):
        answer = await client.post("/oauth/token", data={"grant_type": grant}, headers=basic)
        assert (answer.status_code, answer.json()["error"]) == (400, said)
    code = await code_for(browser, question(mine))
    app = App(client, (await exchanged(client, mine, code)).json()["access_token"])
    for who, alive in ((other, True), (mine, False)):
        named = {name: who[name] for name in ("client_id", "client_secret")}
        gone = await client.post("/oauth/revoke", data={**named, "token": app.token})
        assert (gone.status_code, gone.json()) == (200, {})
        await app.get(WHO, 200 if alive else 401)
    assert (await client.post("/oauth/revoke", data={"token": "x"})).status_code == 403


async def test_tokens_die_with_the_password_the_account_and_the_app(
    client: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    instance: Instance,
    ana: Member,
    admin: Member,
) -> None:
    registration = await registered(client)

    async def fresh() -> App:
        code = await code_for(browser, question(registration))
        return App(client, (await exchanged(client, registration, code)).json()["access_token"])

    app = await fresh()
    waiting = await code_for(browser, question(registration))
    async with instance.transaction() as tx:
        await profile.change_password(tx, ana, "x")
    await app.get(WHO, 401)
    assert (await exchanged(client, registration, waiting)).json()["error"] == "invalid_grant"
    await makers.sign_in(browser, instance, ana)
    app = await fresh()
    async with instance.transaction() as tx:
        (await tx.session.get_one(Member, ana.id)).state = "suspended"
    await app.get(WHO, 401)
    async with instance.transaction() as tx:
        (await tx.session.get_one(Member, ana.id)).state = "active"
    await app.get(WHO)
    async with makers.browser(browser._transport.app) as desk:  # type: ignore[attr-defined]
        await makers.sign_in(desk, instance, admin)
        assert "Tusky" in (await desk.get("/admin/apps")).text
        await makers.submit(desk, "/admin/apps", app=registration["id"], state="blocked")
        await app.get(WHO, 401)
        refused = await browser.get("/oauth/authorize", params=question(registration))
        assert refused.status_code == 403
        assert "not allowed here" in refused.text
        await makers.submit(desk, "/admin/apps", app=registration["id"], state="allowed")
        record = (await desk.get("/admin/record")).text
        assert "Tusky" in record
    app = await fresh()
    unheard = await registered(client)
    as_it_was = instance.settings
    for setting, status in ((Apps.LISTED, 200), (Apps.OFF, 401)):
        instance.settings = as_it_was.model_copy(update={"apps": setting})
        await app.get(WHO, status)
        refused = await browser.get("/oauth/authorize", params=question(unheard))
        assert (refused.status_code, "not allowed here" in refused.text) == (403, True)
    answer = await client.post("/api/v1/apps", json={"client_name": "x", "redirect_uris": "x:/y"})
    assert answer.status_code == 403
    instance.settings = as_it_was
    await app.get(WHO)


async def test_ACC_12_a_token_reaches_as_far_as_its_scopes(
    client: httpx.AsyncClient, instance: Instance, ana: Member
) -> None:
    reader = App(client, await makers.token(instance, ana, "read:statuses"))
    await reader.get("/api/v1/timelines/home")
    outside = {"error": "This action is outside the authorized scopes"}
    assert await reader.get(WHO, 403) == outside
    assert await reader.post("/api/v1/statuses", 403, status="x") == outside
    assert await reader.post("/api/v1/accounts/1/follow", 403) == outside
    follower = App(client, await makers.token(instance, ana, "follow"))
    await follower.post("/api/v1/accounts/1/follow", 404)
    await follower.get("/api/v1/timelines/home", 403)
    for nobody in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        answer = await client.get(WHO, headers=nobody)
        assert (answer.status_code, answer.json()) == (
            401,
            {"error": "The access token is invalid"},
        )
    told = await client.get(f"{WHO}?access_token={reader.token}")
    assert told.status_code == 401


async def test_ACC_09_an_app_asks_for_no_more_than_it_registered_for(
    client: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    registration = await registered(client, REDIRECT, "read")
    for asked in ("write", "read write", "read admin:read", "everything"):
        answer = await browser.get(
            "/oauth/authorize", params=question(registration) | {"scope": asked}
        )
        told = parse_qs(urlsplit(answer.headers["location"]).query)
        assert told["error"] == ["invalid_scope"]


@pytest.mark.parametrize(
    "redirect",
    [
        "javascript:alert(1)", "data:text/html,x", "/callback", "app.example", "file:///etc/passwd",
        "http://app.example/callback", "https://a b.example/", "https://ana@app.example/", "x",
        "https://app.example/#x", "https:///x", "vbscript:x", "https://[::1/",
        "https://app.example;sandbox/", "https://app.example:443;sandbox/", "https://a,b.example/",
    ],
)  # fmt: skip
def test_an_address_that_a_browser_should_not_be_sent_to_is_not_registered(redirect: str) -> None:
    assert clients.redirect_fault(redirect)


@pytest.mark.parametrize(
    "redirect",
    [
        OUT_OF_BAND, REDIRECT, "com.tapbots.Ivory.22883:/request_token", "tusky://oauth",
        "http://localhost:3000/x", "http://127.0.0.1/x", "http://elk.localhost:5314/x",
        "https://app.example/a?b=c",
    ],
)  # fmt: skip
def test_phones_and_sites_are_sent_back_to(redirect: str) -> None:
    assert clients.redirect_fault(redirect) is None


@given(st.text(max_size=60))
def test_scopes_are_read_as_written_or_not_at_all(words: str) -> None:
    found = scopes.parse(words)
    asked = set(words.replace("+", " ").split())
    assert found is None or set(found) == (asked or {"read"})
    if found:
        assert scopes.all_covered(found, found)
        assert scopes.in_words(found)


def test_a_part_is_covered_by_the_whole_and_never_the_other_way() -> None:
    for scope in scopes.KNOWN:
        part, _, about = scope.partition(":")
        if about:
            assert scopes.covers({part}, scope)
            assert not scopes.covers({scope}, part)
            other = {"read": "write", "write": "read"}[part]
            assert not scopes.covers({other}, scope)


async def test_apps_that_nobody_let_in_are_forgotten(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, instance: Instance, clock: TurnableClock
) -> None:
    used = await registered(client)
    await exchanged(client, used, await code_for(browser, question(used)))
    await registered(client)
    await code_for(browser, question(used))
    clock.turn(days=3)
    async with instance.transaction() as tx:
        await clients.tidy(tx)
    async with instance.reading() as session:
        left = (await session.execute(select(AppRow.client_id))).scalars().all()
        assert left == [used["client_id"]]
        assert (await session.execute(select(AppCode))).first() is None


async def test_any_site_may_ask_before_it_calls(client: httpx.AsyncClient, admin: Member) -> None:
    for path in ("/api/v1/statuses", "/oauth/token", "/api/v9/nothing"):
        asked = await client.options(path, headers={"Origin": "https://phanpy.example"})
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in asked.headers
        assert "Authorization" in asked.headers["access-control-allow-headers"]
    found = (await client.get("/.well-known/oauth-authorization-server")).json()
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint"] == "http://riverton.localhost:8000/oauth/token"
    nothing = await client.get("/api/v9/nothing")
    assert (nothing.status_code, nothing.json()) == (404, {"error": "Record not found"})
