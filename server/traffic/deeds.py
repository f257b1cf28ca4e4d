# SPDX-License-Identifier: Apache-2.0
"""What an admin does about a peer: try it now, hold it back, give up."""

from server import audit
from server.errors import Invalid, NotFound
from server.permissions import Permission, Standing, must
from server.transaction import Transaction
from storage import traffic
from storage.database import notify
from storage.log import last_seq
from storage.members import Member
from storage.peers import Peer

# In each deed `admin` is None at the command line. Whoever commits one wakes the worker of
# its own process; those of others are told by the database.


async def known_peer(tx: Transaction, admin: Member | None, host: str) -> Peer:
    """The peer, for somebody who may decide about it; NotFound when we know none of that name."""
    if admin is not None:
        must(Standing(admin), Permission.ADMINISTER)
    peer = await tx.session.get(Peer, host.strip().lower())
    if peer is None:
        raise NotFound(f"We have never heard of {host}.")
    return peer


async def retry_now(tx: Transaction, admin: Member | None, host: str) -> Peer:
    """Have whatever waits for a peer tried at once; Invalid while it is paused."""
    peer = await known_peer(tx, admin, host)
    if peer.paused is not None:
        raise Invalid(message=f"Sending to {peer.host} is paused: resume it first.")
    now = tx.now
    peer.next_try = now
    await traffic.try_parked(tx.session, peer.host, now)
    await _note(tx, admin, "peer.retried", peer)
    return peer


async def pause(tx: Transaction, admin: Member | None, host: str) -> Peer:
    """Send nothing to a peer until it is resumed; what is for it waits. A second time is none."""
    peer = await known_peer(tx, admin, host)
    if peer.paused is None:
        # What is not tried is not woken either: signs of life cost nothing meanwhile.
        peer.paused, peer.next_try = tx.now, None
        await _note(tx, admin, "peer.paused", peer)
    return peer


async def resume(tx: Transaction, admin: Member | None, host: str) -> Peer:
    """Send to a peer again, beginning now with what has waited."""
    peer = await known_peer(tx, admin, host)
    if peer.paused is not None:
        now = tx.now
        peer.paused, peer.next_try = None, now
        await traffic.try_parked(tx.session, peer.host, now)
        await _note(tx, admin, "peer.resumed", peer)
    return peer


async def forget(tx: Transaction, admin: Member | None, host: str) -> Peer:
    """Drop what waits for a peer, and what is known against it; it stays paused if it was."""
    peer = await known_peer(tx, admin, host)
    await traffic.drop(tx.session, peer.host, await last_seq(tx.session))
    peer.failures, peer.failing_since, peer.next_try = 0, None, None
    peer.last_error = ""
    await _note(tx, admin, "peer.forgotten", peer)
    return peer


async def _note(tx: Transaction, admin: Member | None, verb: str, peer: Peer) -> None:
    audit.note(tx, admin or "command line", verb, peer.host)
    await tx.session.flush()
    await notify(tx.session)
