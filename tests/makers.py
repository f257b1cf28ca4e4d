# SPDX-License-Identifier: Apache-2.0
"""People, forums and posts for tests, by the real deeds."""

import asyncio
import os
import re
from collections.abc import Mapping
from functools import cache

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from starlette.applications import Starlette

from server.apps import tokens
from server.forums import deeds, elsewhere, follows
from server.forums.deeds import ForumDraft
from server.forums.elsewhere import ForumCard
from server.instance import Instance
from server.keys import NewKey, Vault
from server.members import accounts, passwords
from server.members import elsewhere as people_elsewhere
from server.members import sign_in as sessions
from server.members.accounts import AccountDraft
from server.members.elsewhere import PersonCard
from server.posts import writing
from server.posts.drafts import Origin, ReplyDraft, ThreadDraft
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Post
from tests.clock import TurnableClock

PASSWORD = "seven quiet lanterns"
LAKESIDE = "lakeside.localhost:4102"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_hashes: dict[str, str] = {}


@cache
def _pem(kind: str) -> tuple[bytes, str]:
    """A key of a kind, made once: (private PKCS8 PEM, public PEM)."""
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if kind == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public.decode()


def keys(vault: Vault) -> tuple[NewKey, NewKey]:
    """A pair of keys sealed with this vault; the same pair for everybody, since RSA is slow."""
    pair = [(kind, *_pem(kind)) for kind in ("rsa", "ed25519")]
    first, second = (
        NewKey(kind, public, vault.seal(private, os.urandom(12))) for kind, private, public in pair
    )
    return first, second


async def _hash(password: str) -> str:
    if password not in _hashes:
        _hashes[password] = await passwords.hashed(password)
    return _hashes[password]


async def member(
    instance: Instance,
    handle: str = "ana",
    *,
    name: str = "",
    role_title: str = "permit analyst",
    admin: bool = False,
    password: str = PASSWORD,
) -> Member:
    """A local member; their address is `<handle>@riverton.example.gov`."""
    draft = accounts.check(
        AccountDraft(
            handle=handle,
            email=f"{handle}@riverton.example.gov",
            name=name or {"ana": "Ana Ruiz", "dee": "Dee Okafor"}.get(handle, handle.title()),
            password=password,
            role_title=role_title,
        )
    )
    hashed = await _hash(password)
    pair = await asyncio.to_thread(keys, instance.vault)
    async with instance.transaction() as tx:
        return await accounts.create(tx, draft, hashed, pair, admin=admin)


async def person_elsewhere(
    instance: Instance,
    handle: str = "marek",
    *,
    peer: str = LAKESIDE,
    name: str = "Marek Nowak",
    agency: str = "City of Lakeside",
) -> Member:
    """A person of another agency, as their instance describes them."""
    uri = f"http://{peer}/u/{handle}"
    card = PersonCard(
        uri=uri,
        handle=handle,
        peer=peer,
        url=uri,
        name=name,
        role_title="permit manager",
        agency=agency,
        bio_html="",
        avatar_url=None,
        inbox=f"{uri}/inbox",
        shared_inbox=f"http://{peer}/inbox",
    )
    async with instance.transaction() as tx:
        return await people_elsewhere.remember(tx, card)


async def forum(
    instance: Instance,
    founder: Member,
    handle: str = "counters",
    *,
    title: str = "Service counters",
    description: str = "What happens where people meet us.",
    visibility: str = Visibility.PUBLIC,
) -> Forum:
    """A forum of this instance; `founder` must be an admin and becomes its steward."""
    draft = ForumDraft(handle, title, description, visibility)
    pair = await asyncio.to_thread(keys, instance.vault)
    async with instance.transaction() as tx:
        return await deeds.create(tx, founder, draft, pair)


async def forum_elsewhere(
    instance: Instance,
    handle: str = "permits",
    *,
    peer: str = LAKESIDE,
    title: str = "Permits and licensing",
    agency: str = "City of Lakeside",
    visibility: Visibility = Visibility.PUBLIC,
) -> Forum:
    """A forum of another agency, as its home describes it; nobody follows it yet."""
    uri = f"http://{peer}/f/{handle}"
    card = ForumCard(
        uri=uri,
        handle=handle,
        peer=peer,
        url=uri,
        title=title,
        agency=agency,
        description_html="<p>Permits, licensing and inspections.</p>",
        visibility=visibility,
        language="en",
        inbox=f"{uri}/inbox",
        shared_inbox=f"http://{peer}/inbox",
        outbox=f"{uri}/outbox",
        moderators=f"{uri}/moderators",
    )
    async with instance.transaction() as tx:
        return await elsewhere.remember(tx, card)


async def follow(instance: Instance, person: Member, place: Forum) -> None:
    """A local member follows a forum; one elsewhere accepts at once."""
    async with instance.transaction() as tx:
        await follows.follow(tx, person, place)
        if not place.is_local:
            await follows.confirmed(tx, person, place)


async def thread(
    instance: Instance,
    author: Member,
    place: Forum,
    title: str = "How do you measure permit time?",
    source: str = "From filing, or from **completeness**?",
    *,
    tags: tuple[str, ...] = (),
) -> Post:
    """A thread, a minute after whatever came before; announced when both live elsewhere."""
    _let_a_minute_pass(instance)
    draft = ThreadDraft(title, source, tags, origin=_origin(instance, author))
    async with instance.transaction() as tx:
        if author.is_local:
            return await writing.post_thread(tx, author, place, draft)
        return await writing.apply_thread(tx, author, place, draft)


async def reply(
    instance: Instance, author: Member, parent: Post, source: str = "Both, and we publish both."
) -> Post:
    """A reply to a thread or to a reply, a minute after whatever came before."""
    _let_a_minute_pass(instance)
    draft = ReplyDraft(source, parent.id, origin=_origin(instance, author))
    async with instance.transaction() as tx:
        if author.is_local:
            return await writing.reply(tx, author, draft)
        return await writing.apply_reply(tx, author, draft)


def _origin(instance: Instance, author: Member) -> Origin | None:
    if author.is_local:
        return None
    uri = f"http://{author.peer}/p/{instance.ids.next()}"
    return Origin(uri=uri, url=uri, html="", published=instance.clock.now())


def _let_a_minute_pass(instance: Instance) -> None:
    if isinstance(instance.clock, TurnableClock):
        instance.clock.turn(minutes=1)


def browser(app: Starlette) -> httpx.AsyncClient:
    """A browser with cookies of its own; it does not follow redirects by itself."""
    instance: Instance = app.state.instance
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=instance.settings.origin
    )


async def sign_in(client: httpx.AsyncClient, instance: Instance, person: Member) -> None:
    """Give the browser a session of this member, without the slow check of a password."""
    async with instance.transaction() as tx:
        token = await sessions.open_session(tx, person)
    client.cookies.set("guildhall_session", token, domain=instance.settings.hostname, path="/")


async def token(instance: Instance, person: Member, scopes: str = "read write follow push") -> str:
    """An access token of this member, as an operator makes one."""
    async with instance.transaction() as tx:
        return (await tokens.at_the_command_line(tx, person, scopes)).token


async def submit(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form as the browser would, with the token that its pages carry."""
    return await client.post(path, data={"csrf": await form_token(client), **fields})


async def upload(
    client: httpx.AsyncClient, path: str, files: Mapping[str, bytes], **fields: str
) -> httpx.Response:
    """The same with files, each by its name, in the field `upload`."""
    data = {"csrf": await form_token(client), **fields}
    sent = [("upload", (name, content)) for name, content in files.items()]
    return await client.post(path, data=data, files=sent)


async def form_token(client: httpx.AsyncClient) -> str:
    """The token of the forms of this browser; a visitor is given one with the first form."""
    # A member's pages all have a form.
    found = _CSRF.search((await client.get("/help")).text)
    if found is None:
        found = _CSRF.search((await client.get("/sign-in")).text)
    return found[1] if found else ""
