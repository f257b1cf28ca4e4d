# SPDX-License-Identifier: Apache-2.0
"""Accounts as a browser meets them."""

import re
from html import unescape

import httpx
import pytest
from starlette.applications import Starlette

from server import mail
from server.instance import Instance
from server.members import accounts
from server.settings import Settings
from storage.members import Member
from tests import makers
from web import limits

JOINING = {
    "handle": "lee",
    "email": "lee@riverton.example.gov",
    "name": "Lee Park",
    "role_title": "records clerk",
    "password": "four slow green kettles",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """People of the agency's own domain may sign up."""
    return settings.model_copy(update={"signup_domains": ("riverton.example.gov",)})


async def who_am_i(client: httpx.AsyncClient) -> str | None:
    """The name that the menu shows, if anybody is signed in."""
    page = await client.get("/help")
    found = re.search(r'class="name-of">([^<]+)<', page.text)
    return found[1] if found else None


async def sign_in(client: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await makers.submit(
        client, "/sign-in", **{"login": "ana", "password": makers.PASSWORD, "next": "", **fields}
    )


async def test_the_first_visit_leads_to_the_first_account(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    page = await client.get("/forums")
    assert (page.status_code, page.headers["location"]) == (303, "/first-run")
    form = await client.get("/first-run")
    assert 'name="password"' in form.text
    token = re.findall(r'name="csrf" value="([^"]+)"', form.text)[-1]
    short = await client.post("/first-run", data=JOINING | {"csrf": token, "password": "short"})
    assert short.status_code == 422
    assert 'value="Lee Park"' in short.text
    assert 'href="#f-password"' in short.text
    assert "short" not in re.findall(r'<input type="password"[^>]*>', short.text)[0]
    made = await client.post("/first-run", data=JOINING | {"csrf": token})
    assert (made.status_code, made.headers["location"]) == (303, "/admin")
    assert await who_am_i(client) == "Lee Park"
    assert (await client.get("/admin")).status_code == 200
    again = await makers.submit(client, "/first-run", **JOINING | {"handle": "eve"})
    assert again.status_code == 404
    async with instance.reading() as session:
        assert len(await accounts.page(session)) == 1


@pytest.mark.usefixtures("admin")
async def test_ACC_02_04_a_member_signs_in_and_out(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.member(instance)
    answer = await sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert await who_am_i(client) == "Ana Ruiz"
    kept = client.cookies["guildhall_session"]
    assert (await makers.submit(client, "/sign-out")).headers["location"] == "/"
    assert await who_am_i(client) is None
    client.cookies.set("guildhall_session", kept, domain=instance.settings.hostname, path="/")
    assert await who_am_i(client) is None


@pytest.mark.usefixtures("admin")
async def test_ACC_02_signing_in_begins_a_new_session_and_ends_the_old(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    before = client.cookies["guildhall_session"]
    await sign_in(client)
    assert client.cookies["guildhall_session"] != before
    client.cookies.delete("guildhall_session")
    client.cookies.set("guildhall_session", before, domain=instance.settings.hostname, path="/")
    assert await who_am_i(client) is None


@pytest.mark.usefixtures("admin")
async def test_ACC_02_a_session_that_was_planted_is_never_taken_over(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.member(instance)
    client.cookies.set("guildhall_session", "planted", domain=instance.settings.hostname, path="/")
    answer = await sign_in(client)
    assert "guildhall_session=planted" not in answer.headers["set-cookie"]
    assert re.search(r"guildhall_session=[^;]{43,}", answer.headers["set-cookie"])


@pytest.mark.usefixtures("admin")
async def test_a_failed_sign_in_keeps_the_name_and_the_way(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.member(instance)
    answer = await sign_in(client, password="wrong wrong wrong", next="/forums")
    assert answer.status_code == 422
    assert 'value="ana"' in answer.text
    assert 'name="next" value="/forums"' in answer.text
    assert 'role="alert"' in answer.text
    assert "wrong wrong wrong" not in answer.text


@pytest.mark.usefixtures("admin")
async def test_ACC_05_guessing_ends_with_a_wait(
    client: httpx.AsyncClient, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.members.sign_in.FAILURES_AN_ACCOUNT", 2)
    await makers.member(instance)
    answers = [await sign_in(client, password=f"guess number {n} of many") for n in range(3)]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert answers[2].headers["retry-after"] == "900"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "%2f%2fevil.example",
        "/%252f%252fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "/..//evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/forums\r\nSet-Cookie: a=b",
        " //evil.example",
    ],
)
@pytest.mark.usefixtures("admin")
async def test_ACC_11_signing_in_leads_to_no_other_site(
    client: httpx.AsyncClient, instance: Instance, wanted: str
) -> None:
    await makers.member(instance)
    answer = await sign_in(client, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = await client.get("/sign-in", params={"next": wanted})
    assert (page.status_code, page.headers["location"]) == (303, "/")


@pytest.mark.usefixtures("admin")
async def test_signing_in_leads_back_to_where_it_was_asked_for(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.member(instance)
    page = await client.get("/me")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2Fme")
    for wanted in (
        "/me",
        "/search?q=https://lakeside.example.gov/f/a%20b",
        "/u/a@b.localhost:4102",
    ):
        assert (await sign_in(client, next=wanted)).headers["location"] == wanted


@pytest.mark.usefixtures("admin")
async def test_ACC_03_a_form_of_another_site_does_nothing(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    fields = {"login": "ana", "password": makers.PASSWORD, "name": "Eve", "email": JOINING["email"]}
    token = await makers.form_token(client)
    for path in ("/sign-in", "/sign-out", "/sign-up", "/me", "/me/password", "/notifications"):
        assert (await client.post(path, data=fields)).status_code == 403, path
        forged = await client.post(
            path, data=fields | {"csrf": token}, headers={"Origin": "https://evil.example"}
        )
        assert forged.status_code == 403, path
        assert await who_am_i(client) == "Ana Ruiz", path


async def invited(instance: Instance, admin: Member) -> str:
    async with instance.transaction() as tx:
        return await accounts.invite(tx, admin, "Lee")


async def test_an_invitation_leads_to_an_account(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    path = f"/invitation/{await invited(instance, admin)}"
    assert (await client.get(path)).status_code == 200
    wrong = await makers.submit(client, path, **JOINING | {"handle": "sam"})
    assert wrong.status_code == 422
    assert "taken" in wrong.text
    assert 'value="records clerk"' in wrong.text
    made = await makers.submit(client, path, **JOINING)
    assert made.status_code == 303
    assert await who_am_i(client) == "Lee Park"
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/invitation/never-was")).status_code == 404


@pytest.mark.usefixtures("admin")
async def test_ACC_06_a_letter_leads_to_an_account(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    # Where a letter leads is a setting, and no header of whoever asks for it.
    client.headers["X-Forwarded-Host"] = client.headers["Forwarded"] = "evil.example"
    asked = await makers.submit(client, "/sign-up", email=JOINING["email"])
    assert asked.status_code == 303
    assert "on its way" in (await client.get("/sign-up")).text
    link = await link_in_the_last_letter(instance)
    assert link.startswith(f"{instance.settings.origin}/")
    path = link.removeprefix(instance.settings.origin)
    form = await client.get(path)
    assert JOINING["email"] in form.text
    made = await makers.submit(client, path, **JOINING | {"email": "mayor@riverton.example.gov"})
    assert made.status_code == 303
    async with instance.reading() as session:
        emails = [member.email for member in await accounts.page(session)]
    assert JOINING["email"] in emails
    assert "mayor@riverton.example.gov" not in emails


async def link_in_the_last_letter(instance: Instance) -> str:
    async with instance.reading() as session:
        letters = await mail.page(session)
    found = re.search(r"http\S+", letters[0].text)
    assert found is not None
    return found[0]


@pytest.mark.usefixtures("admin")
async def test_ACC_01_signing_up_tells_nobody_who_has_an_account(
    client: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.member(instance)
    answers = [
        await makers.submit(client, "/sign-up", email=f"{name}@riverton.example.gov")
        for name in ("ana", "nobody")
    ]
    assert answers[0].status_code == answers[1].status_code == 303
    assert answers[0].headers["location"] == answers[1].headers["location"]


@pytest.mark.usefixtures("admin")
async def test_signing_up_is_for_our_domain_and_not_too_often(
    client: httpx.AsyncClient,
) -> None:
    other = await makers.submit(client, "/sign-up", email="lee@elsewhere.example")
    assert other.status_code == 422
    assert "lee@elsewhere.example" in other.text
    statuses = [
        (await makers.submit(client, "/sign-up", email=f"p{n}@riverton.example.gov")).status_code
        for n in range(limits.SIGN_UP.count + 1)
    ]
    assert statuses == [303] * limits.SIGN_UP.count + [429]


@pytest.mark.usefixtures("admin")
async def test_ACC_02_a_new_password_signs_out_everywhere_else(
    app: Starlette, client: httpx.AsyncClient, instance: Instance
) -> None:
    ana = await makers.member(instance)
    await makers.sign_in(client, instance, ana)
    async with makers.browser(app) as other:
        await makers.sign_in(other, instance, ana)
        fields = {"old": "not my password at all", "new": "eleven paper boats"}
        wrong = await makers.submit(client, "/me/password", **fields)
        assert wrong.status_code == 422
        assert 'href="#p-old"' in wrong.text
        assert "eleven paper boats" not in wrong.text
        fields["old"] = makers.PASSWORD
        assert (await makers.submit(client, "/me/password", **fields)).status_code == 303
        assert "signed out everywhere else" in unescape((await client.get("/me")).text)
        assert await who_am_i(client) == "Ana Ruiz"
        assert await who_am_i(other) is None


async def test_whose_a_session_was_last_is_never_believed(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    ana = await makers.member(instance, "ana", name="Ana Ruiz")
    await makers.sign_in(client, instance, ana)
    first = await client.get("/")
    assert first.status_code == 200
    token = client.cookies["guildhall_session"]
    assert app.state.seen.get(token) == ana.id
    app.state.seen.note(token, admin.id)
    again = await client.get("/")
    assert 'href="/u/ana"' in again.text
    assert f'href="/u/{admin.handle}"' not in again.text
    assert app.state.seen.get(token) == ana.id
