# SPDX-License-Identifier: Apache-2.0
"""Keys, made once because RSA ones take a while."""

import pytest

from federation.signatures.keys import SigningKey


@pytest.fixture(scope="session")
def keys() -> dict[str, SigningKey]:
    """One key of each kind, and a second RSA key of somebody else."""
    return {
        "rsa": SigningKey.generate_rsa(),
        "ed25519": SigningKey.generate_ed25519(),
        "stranger": SigningKey.generate_rsa(),
    }


@pytest.fixture
def rsa_key(keys: dict[str, SigningKey]) -> SigningKey:
    """The RSA key."""
    return keys["rsa"]
