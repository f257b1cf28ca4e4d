# SPDX-License-Identifier: Apache-2.0
"""Our actors' private keys, opened once and kept."""

from collections import OrderedDict

from sqlalchemy.ext.asyncio import AsyncSession

from federation.signatures.keys import SigningKey
from server.keys import Vault
from storage.keys import ActorKey

MOST_HELD = 2_000


class Keyring:
    """Signing keys by key id; the least used go beyond MOST_HELD."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._held: OrderedDict[str, SigningKey] = OrderedDict()

    def held(self, key_id: str) -> SigningKey | None:
        """The private key with this id, if it is open already."""
        key = self._held.get(key_id)
        if key is not None:
            self._held.move_to_end(key_id)
        return key

    async def key(self, session: AsyncSession, key_id: str) -> SigningKey:
        """The private key with this id; LookupError when it is not one of ours."""
        held = self.held(key_id)
        if held is not None:
            return held
        row = await session.get(ActorKey, key_id)
        if row is None or row.sealed is None:
            raise LookupError(f"no private key {key_id}")
        key = SigningKey.from_pkcs8_pem(self._vault.unseal(row.sealed))
        self._held[key_id] = key
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return key
