# SPDX-License-Identifier: Apache-2.0
"""An app's push service is told, and learns nothing of what it carries."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from federation.station import Station
from server import pushes
from server.apps import tokens
from server.errors import Invalid
from server.instance import Instance
from server.pushes import PushDraft
from server.settings import Settings
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.pushes import PushSubscription
from tests import makers
from tests.clock import TurnableClock
from tests.hostile.serving import serving
from web.demo.ports import free_port

SECRET = b"sixteen bytes ok"


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(words: str) -> bytes:
    return base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))


@dataclass
class Service:
    """A push service that answers `status` and keeps what it was sent."""

    status: int = 201
    sent: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.sent.append((headers, body))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Phone:
    """Ana's phone: its key, and where it is told."""

    key: ec.EllipticCurvePrivateKey
    token: int

    def draft(self, endpoint: str, *kinds: str) -> PushDraft:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return PushDraft(endpoint, _written(point), _written(SECRET), kinds)

    def reads(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=SECRET, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def settings(settings: Settings, port: int) -> Settings:
    known = {"push.localhost": f"127.0.0.1:{port}"}
    return Settings(**settings.model_dump() | {"resolve": known})


@pytest.fixture
async def service(port: int) -> AsyncIterator[Service]:
    service = Service()
    async with serving(service, port=port):
        yield service


@pytest.fixture
async def ana(instance: Instance, admin: Member) -> Member:
    return await makers.member(instance)


@pytest.fixture
async def thread(instance: Instance, admin: Member, ana: Member) -> Post:
    forum: Forum = await makers.forum(instance, admin)
    return await makers.thread(instance, ana, forum, "Mine")


@pytest.fixture
async def phone(instance: Instance, ana: Member) -> Phone:
    async with instance.transaction() as tx:
        given = await tokens.at_the_command_line(tx, ana, "read push")
    return Phone(ec.generate_private_key(ec.SECP256R1()), given.row.id)


@pytest.fixture
async def wire(instance: Instance) -> AsyncIterator[Station]:
    opened = Station(instance)
    await opened.open()
    yield opened
    await opened.close()


def _must_be_signed(headers: dict[str, str], name: str) -> dict[str, Any]:
    """What the instance says of itself to the service (RFC 8292)."""
    said = dict(part.strip().split("=", 1) for part in headers["authorization"][6:].split(","))
    assert said["k"] == name
    head, claims, signature = said["t"].split(".")
    raw = _read(signature)
    der = encode_dss_signature(*(int.from_bytes(half, "big") for half in (raw[:32], raw[32:])))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _read(name))
    point.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    found: dict[str, Any] = json.loads(_read(claims))
    return found


async def test_a_notice_is_told_once_sealed_and_signed(
    wire: Station, service: Service, phone: Phone, thread: Post, admin: Member
) -> None:
    instance = wire.instance
    async with instance.transaction() as tx:
        member = await tx.session.get_one(Member, thread.author_id)
        draft = phone.draft("http://push.localhost/ana", "mention")
        await pushes.subscribe(tx, member, phone.token, draft)
    await wire.pushes.run_due()
    assert service.sent == []
    await makers.reply(instance, admin, thread, "For a sleeping phone")
    await wire.pushes.run_due()
    await wire.pushes.run_due()
    ((headers, body),) = service.sent
    told = phone.reads(body)
    assert (told["notification_type"], told["title"]) == ("mention", "Sam Hale wrote to you")
    assert told["body"] == "Mine"
    assert told["access_token"] == ""
    # Apps for iOS read the whole message or nothing: each of these, of these types.
    texts = {name for name, value in told.items() if isinstance(value, str)}
    assert texts >= {"access_token", "preferred_locale", "icon", "notification_type", "body"}
    assert isinstance(told["notification_id"], int)
    assert b"Sam Hale" not in body
    assert headers["content-encoding"] == "aes128gcm"
    claims = _must_be_signed(headers, instance.vault.push_name)
    assert claims["aud"] == "http://push.localhost"
    async with instance.transaction() as tx:
        await pushes.choose(tx, phone.token, ("favourite",))
    await makers.reply(instance, admin, thread, "Not wanted")
    await wire.pushes.run_due()
    assert len(service.sent) == 1


async def test_a_service_that_fails_is_asked_again_and_one_that_is_gone_is_not(
    wire: Station, service: Service, phone: Phone, thread: Post, admin: Member, clock: TurnableClock
) -> None:
    instance = wire.instance
    async with instance.transaction() as tx:
        member = await tx.session.get_one(Member, thread.author_id)
        draft = phone.draft("http://push.localhost/ana", "mention")
        await pushes.subscribe(tx, member, phone.token, draft)
    await makers.reply(instance, admin, thread, "One")
    service.status = 500
    await wire.pushes.run_due()
    await wire.pushes.run_due()
    assert len(service.sent) == 1
    clock.turn(minutes=5)
    service.status = 201
    await wire.pushes.run_due()
    assert [phone.reads(body)["body"] for _, body in service.sent] == ["Mine", "Mine"]
    await makers.reply(instance, admin, thread, "Two")
    service.status = 410
    await wire.pushes.run_due()
    async with instance.reading() as session:
        left = await session.get(PushSubscription, phone.token)
    assert left is None


async def test_ACC_12_a_token_that_ended_is_told_nothing(
    wire: Station, service: Service, phone: Phone, thread: Post, admin: Member
) -> None:
    instance = wire.instance
    async with instance.transaction() as tx:
        member = await tx.session.get_one(Member, thread.author_id)
        draft = phone.draft("http://push.localhost/ana", "mention")
        await pushes.subscribe(tx, member, phone.token, draft)
    async with instance.reading() as session:
        (held,) = await tokens.page(session, member)
    async with instance.transaction() as tx:
        await tokens.shut_out(tx, member, held.app.id)
    await makers.reply(instance, admin, thread, "One")
    await wire.pushes.run_due()
    assert service.sent == []
    async with instance.transaction() as tx:
        await pushes.tidy(tx)
        assert await tx.session.get(PushSubscription, phone.token) is None


@pytest.mark.parametrize(
    "endpoint",
    ["http://service.example/x", "ftp://push.localhost/x", "//x", "https://a@b.example/x", "",
     "https://service.example/" + "x" * 2_000, "https://[::1/"],
)  # fmt: skip
def test_an_endpoint_that_is_no_address_of_a_service_is_not_taken(endpoint: str) -> None:
    phone = Phone(ec.generate_private_key(ec.SECP256R1()), 1)
    with pytest.raises(Invalid):
        pushes.check(phone.draft(endpoint))
    pushes.check(phone.draft("https://service.example/x"))
    with pytest.raises(Invalid):
        pushes.check(PushDraft("https://service.example/x", "AAAA", "AAAA", ()))
