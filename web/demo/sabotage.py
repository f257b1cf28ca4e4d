# SPDX-License-Identifier: Apache-2.0
"""Breaks one part of a demo server, to see that the check notices."""

from collections.abc import Iterable
from datetime import datetime

from federation.delivery.lanes import Delivery
from federation.signatures.keys import SigningKey, VerificationKey
from server import peers
from server.errors import NotAllowed, SettingsError
from server.peers import Decision
from server.settings import Federation, Mode, Settings
from storage.peers import PolicyRule
from web.demo.names import SABOTAGES


async def _never_send(_delivery: Delivery) -> float:
    """In place of running the lanes; answers when to ask again, in seconds."""
    return 60.0


def _never_valid(_key: VerificationKey, _signature: bytes, _signed: bytes) -> bool:
    """In place of verifying a signature."""
    return False


_signed = SigningKey.sign


def _sign_otherwise(key: SigningKey, data: bytes) -> bytes:
    """In place of signing: a signature by the right key, of something else."""
    return _signed(key, data + b"!")


def _always_allow(
    _mode: Federation, _rules: Iterable[PolicyRule], _host: str, _now: datetime
) -> Decision:
    """In place of the decision about a host."""
    return Decision(True, True, "Whoever asks is let in.")


# part -> where it is, what it is called there, and what is put in its place.
_BREAKS: dict[str, tuple[object, str, object]] = {
    "delivery": (Delivery, "run_due", _never_send),
    "signature": (VerificationKey, "verify", _never_valid),
    "signing": (SigningKey, "sign", _sign_otherwise),
    "policy": (peers, "decide", _always_allow),
}


def commit(settings: Settings, part: str) -> None:
    """Break a part of this process; SettingsError outside demo and test."""
    if settings.mode not in {Mode.DEMO, Mode.TEST}:
        raise SettingsError("Sabotage is for the modes demo and test only.")
    if part not in SABOTAGES:
        raise NotAllowed(f"Only these can be broken: {', '.join(SABOTAGES)}.")
    where, name, instead = _BREAKS[part]
    setattr(where, name, instead)
