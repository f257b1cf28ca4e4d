# SPDX-License-Identifier: Apache-2.0
"""Hosts of a test as a client's own name service would know them."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

# What a program of its own is given: the names, and nothing else of it is changed.
_CUSTOMISED = """
import json, os, socket
_ports, _asked = json.loads(os.environ["TEST_NAMES"]), socket.getaddrinfo
def _known(host, port, *more, **options):
    name = host.decode() if isinstance(host, bytes) else host
    if name in _ports:
        host, port = "127.0.0.1", _ports[name]
    return _asked(host, port, *more, **options)
socket.getaddrinfo = _known
"""


def known_here(monkeypatch: pytest.MonkeyPatch, ports: Mapping[str, int]) -> None:
    """Let clients in this process reach hosts at their ports."""
    asked = socket.getaddrinfo

    def known(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in ports:
            host, port = "127.0.0.1", ports[name]
        return asked(host, port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", known)


def known_elsewhere(folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """The environment in which a Python program of its own reaches them."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_CUSTOMISED, encoding="utf-8")
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "TEST_NAMES": json.dumps(dict(ports)),
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "LANG": "C.UTF-8",
    }
