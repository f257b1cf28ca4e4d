# SPDX-License-Identifier: Apache-2.0
"""How fast one core signs and verifies with RSA-2048."""

import hashlib
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_LINE = re.compile(r"^rsa 2048 bits\s+\S+\s+\S+\s+([0-9.]+)\s+([0-9.]+)", re.MULTILINE)


@dataclass(frozen=True)
class RsaSpeed:
    """Signatures and checks a second; `by` is the program that measured them."""

    signs: float
    verifies: float
    by: str


def rsa_speed(seconds: int = 1) -> RsaSpeed:
    """By `openssl speed`, which counts its own processor time; else by our library."""
    program = shutil.which("openssl")
    if program is not None:
        command = [program, "speed", "-seconds", str(seconds), "rsa2048"]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        found = _LINE.search(told.stdout)
        if found:
            return RsaSpeed(float(found[1]), float(found[2]), "openssl speed")
    return _by_library(seconds)


def _by_library(seconds: int) -> RsaSpeed:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text, sha = b"x" * 300, hashes.SHA256()
    signature = key.sign(text, padding.PKCS1v15(), sha)
    public, scheme = key.public_key(), padding.PKCS1v15()
    signs = _rate(lambda: key.sign(text, scheme, sha), seconds)
    verifies = _rate(lambda: public.verify(signature, text, scheme, sha), seconds)
    return RsaSpeed(signs, verifies, "cryptography, since there is no openssl program")


def digest_rate(size: int = 2_400) -> float:
    """SHA-256 digests a second of a body of that size."""
    body = b"x" * size
    return _rate(lambda: hashlib.sha256(body).digest(), 0.2)


def _rate(deed: "object", seconds: float) -> float:
    assert callable(deed)
    done, begun = 0, time.process_time()
    while time.process_time() - begun < seconds:
        for _ in range(20):
            deed()
        done += 20
    return done / (time.process_time() - begun)
