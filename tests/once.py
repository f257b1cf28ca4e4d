# SPDX-License-Identifier: Apache-2.0
"""What the first worker of a run makes, and the others find made."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder that all workers of a run share: to be copied, never to be changed.

    `make` is given where to make it. Who comes meanwhile waits.
    """
    top = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        top = top.parent
    made, part = top / name, top / f"{name}.part"
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make(part)
            part.rename(made)
    return made
