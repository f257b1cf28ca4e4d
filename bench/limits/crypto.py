# SPDX-License-Identifier: Apache-2.0
"""How fast one core signs and verifies with RSA-2048."""

import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# Times end in `s`, rates do not; newer versions count encryption behind signing.
_LINE = re.compile(r"^rsa +2048 bits((?: +[0-9.]+s)+) +([0-9.]+) +([0-9.]+)", re.MULTILINE)


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
        found = read(told.stdout)
        if found is not None:
            return found
    return by_library(seconds)


def read(printed: str) -> RsaSpeed | None:
    """What `openssl speed` printed; None when there is no line of RSA-2048 in it."""
    found = _LINE.search(printed)
    return RsaSpeed(float(found[2]), float(found[3]), "openssl speed") if found else None


def by_library(seconds: float) -> RsaSpeed:
    """By the library the product signs with."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text, sha = b"x" * 300, hashes.SHA256()
    signature = key.sign(text, padding.PKCS1v15(), sha)
    public, scheme = key.public_key(), padding.PKCS1v15()
    signs = _rate(lambda: key.sign(text, scheme, sha), seconds)
    verifies = _rate(lambda: public.verify(signature, text, scheme, sha), seconds)
    return RsaSpeed(signs, verifies, "the cryptography library, not openssl speed")


def digest_rate(seconds: float) -> float:
    """SHA-256 digests a second of a body of 2.4 KB."""
    body = b"x" * 2_400
    return _rate(lambda: hashlib.sha256(body).digest(), seconds)


def _rate(deed: Callable[[], object], seconds: float) -> float:
    done, begun = 0, time.process_time()
    while time.process_time() - begun < seconds:
        for _ in range(20):
            deed()
        done += 20
    return done / (time.process_time() - begun)
