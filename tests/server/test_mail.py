# SPDX-License-Identifier: Apache-2.0
"""Letters: kept in a folder, or sent in a real conversation."""

import asyncio
import email
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from server import mail
from server.instance import Instance
from server.settings import Settings
from storage.letters import Letter
from tests.clock import TurnableClock


@dataclass
class Postbox:
    """A mail server in this process (RFC 5321, as much as one letter needs)."""

    port: int = 0
    heard: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    refusing: bool = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 postbox ready\r\n")
        while line := await reader.readline():
            said = line.decode().strip()
            self.heard.append(said)
            verb = said.partition(" ")[0].upper()
            if verb == "EHLO":
                answer = "250-postbox\r\n250 SMTPUTF8"
            elif verb == "RCPT" and self.refusing:
                answer = "550 nobody of that name lives here"
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                parsed = email.message_from_bytes(content[:-5], policy=policy.default)
                assert isinstance(parsed, EmailMessage)
                self.letters.append(parsed)
                answer = "250 taken"
            else:
                answer = "221 bye" if verb == "QUIT" else "250 fine"
            writer.write(f"{answer}\r\n".encode())
            if verb == "QUIT":
                break
        await writer.drain()
        writer.close()


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    box = Postbox()
    server = await asyncio.start_server(box.talk, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A site whose name has to be quoted in a header."""
    return settings.model_copy(update={"name": "Riverton, the commons"})


async def write(instance: Instance, recipient: str = "lee@riverton.example.gov") -> None:
    async with instance.transaction() as tx:
        mail.post(
            tx, recipient, "Finish signing up\nBcc: eve@evil.example", "Follow the link — ok."
        )


async def kept(instance: Instance) -> list[Letter]:
    async with instance.reading() as session:
        return list((await session.execute(select(Letter).order_by(Letter.id))).scalars())


async def test_a_letter_goes_out_by_smtp(instance: Instance, postbox: Postbox) -> None:
    await write(instance)
    carrier = mail.SmtpCarrier(f"smtp://127.0.0.1:{postbox.port}")
    assert await mail.send_waiting(instance, carrier) == 1
    (letter,) = postbox.letters
    assert letter["To"] == "lee@riverton.example.gov"
    assert letter["From"] == '"Riverton, the commons" <commons@riverton.localhost>'
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().strip() == "Follow the link — ok."
    assert "MAIL FROM:<commons@riverton.localhost>" in postbox.heard[1]
    (row,) = await kept(instance)
    assert row.message_id == letter["Message-ID"]
    assert row.sent is not None
    assert await mail.send_waiting(instance, carrier) == 0


async def test_a_subject_adds_no_header(instance: Instance, postbox: Postbox) -> None:
    await write(instance)
    await mail.send_waiting(instance, mail.SmtpCarrier(f"smtp://127.0.0.1:{postbox.port}"))
    assert postbox.letters[0]["Bcc"] is None
    assert postbox.letters[0]["Subject"] == "Finish signing up Bcc: eve@evil.example"
    assert [line for line in postbox.heard if line.startswith("RCPT")] == [
        "RCPT TO:<lee@riverton.example.gov>"
    ]


async def test_a_refused_letter_is_tried_again_later(
    instance: Instance, postbox: Postbox, clock: TurnableClock
) -> None:
    await write(instance)
    carrier = mail.SmtpCarrier(f"smtp://127.0.0.1:{postbox.port}")
    postbox.refusing = True
    assert await mail.send_waiting(instance, carrier) == 0
    (row,) = await kept(instance)
    assert row.attempts == 1
    assert "nobody of that name" in row.error
    postbox.refusing = False
    assert await mail.send_waiting(instance, carrier) == 0
    clock.turn(minutes=3)
    assert await mail.send_waiting(instance, carrier) == 1
    assert postbox.letters[0]["Message-ID"] == row.message_id


async def test_a_letter_is_given_up_in_the_end(
    instance: Instance, postbox: Postbox, clock: TurnableClock
) -> None:
    await write(instance)
    postbox.refusing = True
    carrier = mail.SmtpCarrier(f"smtp://127.0.0.1:{postbox.port}")
    for _ in range(mail.MOST_ATTEMPTS + 2):
        await mail.send_waiting(instance, carrier)
        clock.turn(days=2)
    (row,) = await kept(instance)
    assert (row.attempts, row.sent) == (mail.MOST_ATTEMPTS, None)


async def test_a_letter_nobody_can_address_holds_up_no_other(
    instance: Instance, postbox: Postbox
) -> None:
    await write(instance, "lee@riverton.example.gov\r\nBcc: eve@evil.example")
    await write(instance)
    carrier = mail.SmtpCarrier(f"smtp://127.0.0.1:{postbox.port}")
    assert await mail.send_waiting(instance, carrier) == 1
    assert [bool(row.error) for row in await kept(instance)] == [True, False]


async def test_a_password_is_never_sent_in_the_clear(
    instance: Instance, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The postbox offers no TLS; were it another machine, nothing may be said to it."""
    monkeypatch.setattr(mail, "_THIS_MACHINE", frozenset())
    await write(instance)
    carrier = mail.SmtpCarrier(f"smtp://commons:secret@127.0.0.1:{postbox.port}")
    assert await mail.send_waiting(instance, carrier) == 0
    assert not any(line.startswith(("AUTH", "MAIL")) for line in postbox.heard)


async def test_without_a_mail_server_letters_are_kept_in_a_folder(instance: Instance) -> None:
    await write(instance)
    assert await mail.send_waiting(instance, mail.carrier(instance.settings)) == 1
    (path,) = (instance.settings.state / "letters").iterdir()
    letter = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert letter["To"] == "lee@riverton.example.gov"
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_no_connection_is_an_error_and_no_bug(instance: Instance, postbox: Postbox) -> None:
    await write(instance)
    assert await mail.send_waiting(instance, mail.SmtpCarrier("smtp://127.0.0.1:1")) == 0
    assert (await kept(instance))[0].error
