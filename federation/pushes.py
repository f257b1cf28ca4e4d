# SPDX-License-Identifier: Apache-2.0
"""Sends notices to the push services of apps (RFC 8030, 8291, 8292)."""

import asyncio
from typing import Any

import orjson
import structlog
from py_vapid import Vapid02

# Only its encoder: it brings a client of its own, which nothing here calls.
from pywebpush import WebPusher

from federation.errors import WireError
from federation.origins import parse_url
from federation.wire import Wire
from server import pushes
from server.pushes import Due
from server.timelines import notices
from server.timelines.spans import Span
from server.viewers import Viewer

KEPT_SECONDS = 2 * 24 * 3_600
VALID_SECONDS = 12 * 3_600
GONE = frozenset({403, 404, 410})
IDLE = 30.0
SOON = 5.0
log = structlog.get_logger("guildhall.pushes")


class Pushes:
    """One notice of each subscription at a time, through the guarded door."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._instance = wire.instance

    async def are_wanted(self) -> bool:
        """Whether there is anybody to tell; most often nobody, and then nobody need claim it."""
        async with self._instance.reading() as session:
            return await pushes.any_held(session)

    async def run_due(self) -> float:
        """Tell what is due; seconds until there may be more."""
        settings = self._instance.settings
        while True:
            async with self._instance.reading() as session:
                found = await pushes.due(session, settings.apps, self._instance.clock.now())
            if not found:
                return IDLE
            done = await asyncio.gather(*(self._tell(one) for one in found))
            if not any(done):
                return SOON

    async def _tell(self, one: Due) -> bool:
        """Tell one; False where the service did not take it."""
        payload = await self._payload(one)
        status = 201 if payload is None else await self._send(one, payload)
        async with self._instance.transaction() as tx:
            if status in GONE:
                await pushes.end(tx, one.subscription.id)
            elif 200 <= status < 300 or status == 413:
                await pushes.told(tx, one.subscription.id, one.notice)
            else:
                await pushes.failed(tx, one.subscription.id)
                return False
        return True

    async def _payload(self, one: Due) -> bytes | None:
        """What the app is told, as Mastodon tells it; None where there is nothing to tell.

        The token is not in it: we keep only its hash, and push services need not know more.
        """
        async with self._instance.reading() as session:
            viewer = Viewer(one.member)
            found = await notices.page(session, viewer, Span(1), only=one.notice)
        if not found:
            return None
        line = found[0]
        kind = notices.type_of(line.notice.kind)
        if kind not in one.subscription.kinds.split():
            return None
        said: dict[str, Any] = {
            "access_token": "",
            "preferred_locale": self._instance.settings.language,
            # A number, though ids are strings elsewhere: apps for phones read nothing else here.
            "notification_id": line.notice.id,
            "notification_type": kind,
            "icon": f"{self._instance.settings.origin}/static/face.png",
            "title": notices.in_words(line),
            "body": line.opener.title[:140],
        }
        return orjson.dumps(said)

    async def _send(self, one: Due, payload: bytes) -> int:
        """The status that the service answers; 503 where there was none."""
        subscription = one.subscription
        try:
            body, headers = await asyncio.to_thread(self._sealed, one, payload)
            answer = await self._wire.door.post(
                subscription.endpoint,
                body=body,
                sign=lambda method, url, sent: headers,
                content_type="application/octet-stream",
            )
        except WireError as error:
            return 410 if error.permanent else 503
        except ValueError as error:
            log.warning("a subscription cannot be told", why=str(error))
            return 410
        return answer.status

    def _sealed(self, one: Due, payload: bytes) -> tuple[bytes, dict[str, str]]:
        """The message as only the app reads it, and the headers that say who sends it."""
        subscription, settings = one.subscription, self._instance.settings
        keys = {"p256dh": subscription.public_key, "auth": subscription.secret}
        pusher = WebPusher({"endpoint": subscription.endpoint, "keys": keys})
        sealed = pusher.encode(payload, "aes128gcm")
        now = int(self._instance.clock.now().timestamp())
        claims = {
            "sub": f"mailto:{settings.sender}",
            "aud": parse_url(subscription.endpoint).origin,
            "exp": now + VALID_SECONDS,
        }
        signed = Vapid02(self._instance.vault.push_key).sign(claims)
        return bytes(sealed["body"]), {
            "Authorization": signed["Authorization"],
            "Content-Encoding": "aes128gcm",
            "TTL": str(KEPT_SECONDS),
            "Urgency": "normal",
        }
