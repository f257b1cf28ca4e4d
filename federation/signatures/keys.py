# SPDX-License-Identifier: Apache-2.0
"""Keys that sign and keys that verify."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Literal, Self

from bovine.crypto.multibase import MultiCodec, multibase_58btc_encode, multibase_decode
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from federation.signatures.errors import SignatureRefused

KeyKind = Literal["rsa", "ed25519"]

_RSA_BITS = range(2048, 8192 + 1)
# A huge exponent makes one verification cost seconds; every deployed key uses 65537.
_RSA_EXPONENT_BITS = 33
_LONGEST_KEY_TEXT = 8192
_PADDING, _SHA256 = padding.PKCS1v15(), hashes.SHA256()
_UNREADABLE = "The public key cannot be read."


def _known_public(key: object) -> rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if not isinstance(key, rsa.RSAPublicKey):
        raise SignatureRefused("The public key is neither RSA nor Ed25519.")
    if key.key_size not in _RSA_BITS:
        raise SignatureRefused("The RSA key must have between 2048 and 8192 bits.")
    if key.public_numbers().e.bit_length() > _RSA_EXPONENT_BITS:
        raise SignatureRefused("The RSA key has an unusually large exponent.")
    return key


def _verify_rsa(key: rsa.RSAPublicKey, signature: bytes, data: bytes) -> None:
    key.verify(signature, data, _PADDING, _SHA256)


def _sign_rsa(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    return key.sign(data, _PADDING, _SHA256)


@dataclass(frozen=True)
class VerificationKey:
    """A public key: RSA of 2048 to 8192 bits, or Ed25519."""

    _key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read PEM text, SPKI or (RSA only) PKCS#1; SignatureRefused if it is not acceptable."""
        if len(pem) > _LONGEST_KEY_TEXT:
            raise SignatureRefused(_UNREADABLE)
        try:
            key = load_pem_public_key(pem.encode("ascii"))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignatureRefused(_UNREADABLE) from error
        return cls(_known_public(key))

    @classmethod
    def from_multikey(cls, multibase: str) -> Self:
        """Read a `publicKeyMultibase` (FEP-521a); SignatureRefused if it is not acceptable."""
        if not multibase.startswith("z") or len(multibase) > _LONGEST_KEY_TEXT:
            raise SignatureRefused(_UNREADABLE)
        try:
            data = multibase_decode(multibase)
            codec, body = data[:2], data[2:]
            if codec == MultiCodec.Ed25519Public.value:
                return cls(ed25519.Ed25519PublicKey.from_public_bytes(body))
            if codec == MultiCodec.RsaPublic.value:
                return cls(_known_public(load_der_public_key(body)))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignatureRefused(_UNREADABLE) from error
        raise SignatureRefused("The public key is neither RSA nor Ed25519.")

    @cached_property
    def kind(self) -> KeyKind:
        """Which of the two kinds of keys this is."""
        return "rsa" if isinstance(self._key, rsa.RSAPublicKey) else "ed25519"

    @cached_property
    def _verify(self) -> Callable[[bytes, bytes], None]:
        """The check itself; which one it is, is asked once (the classes are slow to tell apart)."""
        key = self._key
        if isinstance(key, rsa.RSAPublicKey):
            return partial(_verify_rsa, key)
        return key.verify

    def pem(self) -> str:
        """The key as PEM text (SPKI), for `publicKeyPem`."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def multikey(self) -> str:
        """The key as multibase text, for `publicKeyMultibase` (FEP-521a)."""
        if isinstance(self._key, rsa.RSAPublicKey):
            body = self._key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
            return multibase_58btc_encode(MultiCodec.RsaPublic.value + body)
        return multibase_58btc_encode(MultiCodec.Ed25519Public.value + self._key.public_bytes_raw())

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` is this key's over `data` (RSA: PKCS#1 v1.5 with SHA-256)."""
        try:
            self._verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key of our own: RSA-2048 or Ed25519."""

    _key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate_rsa(cls) -> Self:
        """A new RSA key of 2048 bits; takes about 100 ms of processor time."""
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def generate_ed25519(cls) -> Self:
        """A new Ed25519 key."""
        return cls(ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def from_pkcs8_pem(cls, pem: bytes) -> Self:
        """Read what `pem()` wrote; ValueError for anything else.

        The RSA numbers are not checked again (that takes 36 ms): never give it a stranger's key.
        """
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise ValueError("The private key is neither RSA nor Ed25519.")
        return cls(key)

    def pem(self) -> bytes:
        """The private key as unencrypted PKCS#8 PEM."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> VerificationKey:
        """The public half."""
        return VerificationKey(self._key.public_key())

    @cached_property
    def kind(self) -> KeyKind:
        """Which of the two kinds of keys this is."""
        return "rsa" if isinstance(self._key, rsa.RSAPrivateKey) else "ed25519"

    @cached_property
    def _sign(self) -> Callable[[bytes], bytes]:
        """The operation itself; which one it is, is asked once."""
        key = self._key
        if isinstance(key, rsa.RSAPrivateKey):
            return partial(_sign_rsa, key)
        return key.sign

    def sign(self, data: bytes) -> bytes:
        """The signature over `data` (RSA: PKCS#1 v1.5 with SHA-256)."""
        return self._sign(data)
