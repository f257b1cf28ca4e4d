# SPDX-License-Identifier: Apache-2.0
"""Our actors' keys: made, sealed with the master key, opened."""

import asyncio
import base64
import contextlib
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.errors import SettingsError
from server.randomness import SystemRandomness

_NONCE = 12
# Of P-256 (FIPS 186-4, D.1.2.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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

    @cached_property
    def push_key(self) -> ec.EllipticCurvePrivateKey:
        """The key that push services know this instance by (RFC 8292), the same at every start."""
        seed = self._cipher.encrypt(b"\0" * _NONCE, b"push services", None)
        # 48 bytes taken modulo the order of the curve leave no number likelier than another.
        number = int.from_bytes(hashlib.sha384(seed).digest(), "big") % (_ORDER - 1) + 1
        return ec.derive_private_key(number, ec.SECP256R1())

    @property
    def push_name(self) -> str:
        """Its public half as apps are told it: an uncompressed point in base64url."""
        point = self.push_key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    @classmethod
    def open(cls, state: Path) -> "Vault":
        """The vault of a state folder; makes `master.key` (0400) at the first start."""
        path = state / "master.key"
        try:
            state.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _make_master(path)
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


def _make_master(path: Path) -> None:
    """Make a master key that is whole and on the disk before anything is sealed with it.

    A database outlives a loss of power, and is worth little without the key. Of several processes
    that start at once one makes it.
    """
    half = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(AESGCM.generate_key(bit_length=256))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            try:
                os.link(half, path)
            except PermissionError:  # a file system without links, such as one of another system
                half.rename(path)
    finally:
        half.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):
        # Not every folder above may be opened by us, nor every file system be told this.
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
