# SPDX-License-Identifier: Apache-2.0
"""Seals the lines of the record as the last thing before they are committed.

One line after the other, whatever process writes it. The order is that of the commits, since the
end of the record is held from the sealing to the commit; nothing is locked after it, so that no
two deeds wait for each other.
"""

from typing import cast

from sqlalchemy import Connection, Table, event, insert, select, text
from sqlalchemy.orm import Session, UOWTransaction

from storage.audit import AuditEntry, AuditSeal, digest, genesis, seal

ORIGIN = "origin"
"""Under this a session is told whose record it is."""
_LINES = "lines of the record"
_END = select(AuditSeal.place, AuditSeal.hash).order_by(AuditSeal.place.desc()).limit(1)


def _after_flush(session: Session, _context: UOWTransaction) -> None:
    lines: list[AuditEntry] = [row for row in session.new if isinstance(row, AuditEntry)]
    if lines:
        session.info.setdefault(_LINES, []).extend(lines)


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    lines: list[AuditEntry] | None = session.info.pop(_LINES, None)
    if lines:
        lines = [line for line in lines if line in session]
        _seal(session.connection(), lines, session.info.get(ORIGIN, ""))


def _seal(connection: Connection, lines: list[AuditEntry], origin: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(74103)"))
    # Asked after the lock was given, this sees what whoever had it has committed.
    end = connection.execute(_END).first()
    place, last = end if end is not None else (0, genesis(origin))
    seals = []
    for line in sorted(lines, key=lambda one: one.id):
        place += 1
        words = digest(actor=line.actor, subject=line.subject, detail=line.detail, salt=line.salt)
        last = seal(place, line.id, line.at, line.verb, words, last)
        seals.append({"place": place, "entry_id": line.id, "digest": words, "hash": last})
    connection.execute(insert(cast(Table, AuditSeal.__table__)), seals)


def _after_rollback(session: Session) -> None:
    session.info.pop(_LINES, None)


def seal_in(sessions: type[Session]) -> None:
    """Have the lines that sessions of this kind add sealed; to be asked for after all else."""
    event.listen(sessions, "after_flush", _after_flush)
    event.listen(sessions, "before_commit", _before_commit)
    event.listen(sessions, "after_rollback", _after_rollback)
