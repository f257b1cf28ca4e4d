# SPDX-License-Identifier: Apache-2.0
"""Our actors' private keys, opened once and kept."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from federation.signatures.keys import SigningKey
from server.clock import Clock
from server.keys import Vault
from storage import keys

MOST_HELD = 2_000
# Another process may have changed the keys of an actor.
LOOKED_AGAIN_AFTER = timedelta(seconds=5)
RSA, ED25519 = "rsa", "ed25519"


class NoKey(LookupError):
    """The actor is none of ours, or is gone."""


@dataclass(frozen=True)
class Held:
    """An open private key, its id, and when it was last known to be the actor's."""

    key_id: str
    key: SigningKey
    looked: datetime


class Keyring:
    """The signing keys of actors by kind; the least used go beyond MOST_HELD."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        self._held: OrderedDict[tuple[str, str], Held] = OrderedDict()

    def held(self, actor: str, kind: str) -> Held | None:
        """The key of an actor, if it is open already and was looked at not long ago."""
        found = self._held.get((actor, kind))
        if found is None or not self._is_fresh(found):
            return None
        self._held.move_to_end((actor, kind))
        return found

    def _is_fresh(self, held: Held) -> bool:
        since = self._clock.now() - held.looked
        return timedelta(0) <= since < LOOKED_AGAIN_AFTER

    async def of(self, session: AsyncSession, actor: str, kind: str) -> Held:
        """The newest private key of this kind; NoKey when the actor is not one of ours."""
        found = self.held(actor, kind)
        if found is not None:
            return found
        row = await keys.private(session, actor, kind)
        if row is None:
            raise NoKey(f"no private {kind} key of {actor}")
        before = self._held.get((actor, kind))
        if before is not None and before.key_id == row.key_id:
            key = before.key
        else:
            key = SigningKey.from_pkcs8_pem(self._vault.unseal(row.sealed))
        made = self._held[(actor, kind)] = Held(row.key_id, key, self._clock.now())
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return made
