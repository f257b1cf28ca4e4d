# SPDX-License-Identifier: Apache-2.0
"""Our actors' keys: made, sealed with the master key, opened."""

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.errors import SettingsError
from server.randomness import SystemRandomness

_NONCE = 12


@dataclass(frozen=True)
class NewKey:
    """A fresh key: its kind, the public part as PEM, the private part sealed."""

    kind: str
    public: str
    sealed: bytes


class Vault:
    """Seals private keys with the master key of the state folder (AES-256-GCM)."""

    def __init__(self, master: bytes) -> None:
        self._cipher = AESGCM(master)
        self.media_secret = self._cipher.encrypt(b"\0" * _NONCE, b"media addresses", None)

    @classmethod
    def open(cls, state: Path) -> "Vault":
        """The vault of a state folder; makes `master.key` (0400) at the first start."""
        path = state / "master.key"
        try:
            state.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(AESGCM.generate_key(bit_length=256))
            master = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"The state folder {state} cannot be used: {error}.") from error
        if len(master) != 32:
            raise SettingsError(f"{path} is damaged: restore it from the backup.")
        return cls(master)

    def seal(self, pem: bytes, nonce: bytes) -> bytes:
        return nonce + self._cipher.encrypt(nonce, pem, None)

    def unseal(self, sealed: bytes) -> bytes:
        """The PKCS8 PEM; SettingsError when the master key is not the one it was sealed with."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag as error:
            raise SettingsError(
                "The keys in the database were sealed with another master.key: restore it."
            ) from error

    async def new_pair(self) -> tuple[NewKey, NewKey]:
        """An RSA-2048 and an Ed25519 key; made in a thread, since RSA takes long."""
        return await asyncio.to_thread(self._new_pair)

    def _new_pair(self) -> tuple[NewKey, NewKey]:
        made = (
            ("rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            ("ed25519", ed25519.Ed25519PrivateKey.generate()),
        )
        first, second = (self._new(kind, key) for kind, key in made)
        return first, second

    def _new(self, kind: str, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> NewKey:
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        # Random and never reused: one sealing per key.
        nonce = SystemRandomness().bits(8 * _NONCE).to_bytes(_NONCE, "big")
        return NewKey(kind, public.decode(), self.seal(pem, nonce))
