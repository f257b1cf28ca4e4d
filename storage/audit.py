# SPDX-License-Identifier: Apache-2.0
"""What was decided, by whom, about what, each line sealed to the one before.

Only added to: the database itself refuses to change or drop a line, but for taking out the words of
one that must be erased, which leaves its seal as it was. The form of a seal is in docs/record.md.
"""

from datetime import UTC, datetime
from hashlib import sha256

import orjson
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word, storable

Hash = Characters(64)


class AuditEntry(Base):
    """One line of the record; `actor` is a wire id, or `system`.

    `salt` keeps its digest from being guessed at once the words are erased, and goes with them.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[Key]
    at: Mapped[datetime]
    actor: Mapped[Url]
    verb: Mapped[Word]
    subject: Mapped[Url]
    detail: Mapped[str] = mapped_column(Characters(1000), default="")
    salt: Mapped[str] = mapped_column(Characters(32), default="")
    erased: Mapped[datetime | None]


class AuditSeal(Base):
    """The place of a line in the order of commits, from 1 without gaps, and what seals it there.

    `digest` is of the line's words, `hash` of the digest and the hash of the line before.
    """

    __tablename__ = "audit_seals"

    place: Mapped[Key]
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit.id"), unique=True)
    digest: Mapped[str] = mapped_column(Hash)
    hash: Mapped[str] = mapped_column(Hash)


class AuditCheck(Base):
    """One look at the whole record: how many lines, the last one's hash, and what did not fit.

    `broken` is the first line that did not fit, and `fault` why, both empty when all did.
    """

    __tablename__ = "audit_checks"

    id: Mapped[Key]
    at: Mapped[datetime]
    place: Mapped[int]
    hash: Mapped[str] = mapped_column(Hash)
    broken: Mapped[int | None]
    fault: Mapped[str] = mapped_column(Characters(500), default="")


def _hashed(said: dict[str, str]) -> str:
    """SHA-256, in hex, of an object of strings as RFC 8785 writes it."""
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def written(moment: datetime) -> str:
    """A moment as it is hashed: to the microsecond, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def genesis(origin: str) -> str:
    """What stands for the line before the first: the agency's own beginning."""
    return _hashed({"origin": origin, "record": "1"})


def digest(*, actor: str, subject: str, detail: str, salt: str) -> str:
    """The digest of a line's words, which are what can be erased."""
    words = {"actor": actor, "detail": detail, "salt": salt, "subject": subject}
    return _hashed({name: storable(value) for name, value in words.items()})


def seal(place: int, entry: int, at: datetime, verb: str, words: str, previous: str) -> str:
    """The hash of a line: its place, its moment, what was done, its words' digest, all before."""
    return _hashed(
        {
            "at": written(at),
            "digest": words,
            "id": str(entry),
            "place": str(place),
            "previous": previous,
            "verb": storable(verb),
        }
    )
