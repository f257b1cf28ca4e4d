# SPDX-License-Identifier: Apache-2.0
"""Keys are read, written and refused as they should be."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from federation.signatures.errors import SignatureRefused
from federation.signatures.keys import SigningKey, VerificationKey
from tests.federation.signatures.material import crypto_fixture

_RAW = "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6"
_MULTIKEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def _spki(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_private_key_survives_being_written_and_read(
    kind: str, keys: dict[str, SigningKey]
) -> None:
    read = SigningKey.from_pkcs8_pem(keys[kind].pem())
    assert read.kind == kind
    assert read.public == keys[kind].public
    assert keys[kind].public.verify(read.sign(b"permits"), b"permits")


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_public_key_survives_pem_and_multikey(kind: str, keys: dict[str, SigningKey]) -> None:
    public = keys[kind].public
    assert public.kind == kind
    assert VerificationKey.from_pem(public.pem()) == public
    assert VerificationKey.from_multikey(public.multikey()) == public


def test_a_private_key_never_shows_in_its_repr(keys: dict[str, SigningKey]) -> None:
    assert repr(keys["rsa"]) == "SigningKey()"


def test_the_rsa_form_of_pkcs1_is_read(keys: dict[str, SigningKey]) -> None:
    pem = keys["rsa"]._key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert "BEGIN RSA PUBLIC KEY" in pem
    assert VerificationKey.from_pem(pem) == keys["rsa"].public


@pytest.mark.fep("521a")
def test_the_multikey_of_fep_521a_is_read_and_written() -> None:
    key = VerificationKey.from_multikey(_MULTIKEY)
    assert key.kind == "ed25519"
    assert key.multikey() == _MULTIKEY
    assert key.pem() != ""
    assert bytes.fromhex(_RAW) == key._key.public_bytes_raw()  # type: ignore[union-attr]


@pytest.mark.fep("521a")
def test_every_multikey_of_the_fep_521a_vectors_is_reproduced() -> None:
    text = "\n".join(crypto_fixture("fep-521a_feature.json")["gherkin"])
    multikeys = re.findall(r'"publicKeyMultibase": "(z\w+)"', text)
    assert [VerificationKey.from_multikey(key).multikey() for key in multikeys] == multikeys
    assert {VerificationKey.from_multikey(key).kind for key in multikeys} == {"rsa", "ed25519"}


def test_short_long_and_strange_keys_are_refused() -> None:
    short = rsa.RSAPublicNumbers(65537, (1 << 1023) + 1).public_key()
    long = rsa.RSAPublicNumbers(65537, (1 << 8200) + 1).public_key()
    slow = rsa.RSAPublicNumbers((1 << 40) + 1, (1 << 2047) + 1).public_key()
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    for key in (short, long, slow, curve):
        with pytest.raises(SignatureRefused):
            VerificationKey.from_pem(_spki(key))


def test_a_private_key_is_not_taken_for_a_public_one(keys: dict[str, SigningKey]) -> None:
    with pytest.raises(SignatureRefused):
        VerificationKey.from_pem(keys["rsa"].pem().decode())


def test_a_stranger_kind_of_private_key_is_not_loaded() -> None:
    with pytest.raises(ValueError, match="PEM"):
        SigningKey.from_pkcs8_pem(b"nothing")


@given(st.one_of(st.text(), st.text().map("z".__add__), st.text(alphabet="123abcXYZ")))
def test_no_text_makes_reading_a_public_key_fail_in_another_way(text: str) -> None:
    for read in (VerificationKey.from_pem, VerificationKey.from_multikey):
        with pytest.raises(SignatureRefused):
            read(text)
