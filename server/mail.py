# SPDX-License-Identifier: Apache-2.0
"""Sending the letters that wait, by the worker."""

import asyncio
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.instance import Instance
from server.letters import post as post
from server.settings import Settings
from storage.base import UtcDateTime
from storage.letters import Letter
from storage.plain import Question, ask, given, whole

MOST_ATTEMPTS = 10
AT_ONCE = 20
_WAITING: Question[Letter] = Question(
    select(Letter)
    .where(
        Letter.sent.is_(None),
        Letter.next_try <= given("now", UtcDateTime()),
        Letter.attempts < MOST_ATTEMPTS,
    )
    .order_by(Letter.id)
    .limit(AT_ONCE),
    whole,
)
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Carrier(Protocol):
    """Whatever takes a letter away; raises OSError or SMTPException when it cannot."""

    async def carry(self, message: EmailMessage) -> None: ...


class SmtpCarrier:
    """Sends by SMTP, with TLS as the URL says."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    async def carry(self, message: EmailMessage) -> None:
        host = self._url.hostname or "localhost"
        tls = self._url.scheme == "smtps"
        # A password never leaves this machine in the clear (RFC 8314).
        must_encrypt = bool(self._url.password) and host not in _THIS_MACHINE
        await aiosmtplib.send(
            message,
            hostname=host,
            port=self._url.port or (465 if tls else 587),
            use_tls=tls,
            start_tls=False if tls else (True if must_encrypt else None),
            username=unquote(self._url.username) if self._url.username else None,
            password=unquote(self._url.password) if self._url.password else None,
            timeout=30,
        )


class FolderCarrier:
    """Leaves letters where an admin can read them; nothing goes out."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state / "letters"

    async def carry(self, message: EmailMessage) -> None:
        name = message["Message-ID"].strip("<>").partition("@")[0]
        await asyncio.to_thread(self._write, f"{name}.eml", bytes(message))

    def _write(self, name: str, content: bytes) -> None:
        # Letters carry links that open accounts: only the site's own user may read them.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / name).write_bytes(content)


def carrier(settings: Settings) -> Carrier:
    """How this instance sends letters."""
    return SmtpCarrier(settings.smtp) if settings.smtp else FolderCarrier(settings)


async def send_waiting(instance: Instance, by: Carrier) -> int:
    """Send what waits; answers how many letters went. At least once each."""
    now = instance.clock.now()
    async with instance.reading() as session:
        letters = await ask(session, _WAITING, now=now)
    sent = 0
    for letter in letters:
        error = ""
        try:
            await by.carry(_message(instance.settings, letter))
            sent += 1
        except (OSError, aiosmtplib.SMTPException, ValueError) as failure:
            # ValueError: a sender or recipient that no header can hold.
            error = " ".join(str(failure).split())[:500] or type(failure).__name__
        async with instance.transaction() as tx:
            row = await tx.session.get_one(Letter, letter.id)
            row.attempts += 1
            row.error = error
            row.sent = None if error else tx.now
            row.next_try = tx.now + timedelta(minutes=2**row.attempts)
    return sent


def _message(settings: Settings, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = Address(settings.site_name, addr_spec=settings.sender)
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Message-ID"] = letter.message_id
    message["Date"] = letter.created
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


async def page(session: AsyncSession, *, before: int | None = None) -> list[Letter]:
    """Up to 50 letters, newest first."""
    question = select(Letter).order_by(Letter.id.desc()).limit(50)
    if before is not None:
        question = question.where(Letter.id < before)
    return list((await session.execute(question)).scalars())
