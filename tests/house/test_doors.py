# SPDX-License-Identifier: Apache-2.0
"""Clock, chance and network come in through few doors."""

import ast
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from tests.house.sources import imports, names_used, rooms, tree


@dataclass(frozen=True)
class Door:
    """Names that may be used only in some rooms. A name covers everything below it."""

    what: str
    names: tuple[str, ...]
    rooms: tuple[str, ...]


# A room is the beginning of a path, so that a file may become a folder.
AT_THE_EDGE = ("web/cli", "web/demo")
DOORS = (
    Door(
        "the clock",
        (
            "datetime.datetime.now",
            "datetime.datetime.today",
            "datetime.datetime.utcnow",
            "datetime.date.today",
            "time.time",
            "time.time_ns",
        ),
        ("server/clock", *AT_THE_EDGE),
    ),
    Door(
        "chance",
        ("random", "secrets", "os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4"),
        ("server/randomness", *AT_THE_EDGE),
    ),
    Door("the way out", ("aiohappyeyeballs", "aiohttp", "httptools"), ("federation/fetch",)),
    Door("a client of our own servers", ("httpx",), AT_THE_EDGE),
    Door(
        "a bare socket",
        (
            "socket",
            "socketserver",
            "asyncio.open_connection",
            "asyncio.open_unix_connection",
            "asyncio.start_server",
            "asyncio.start_unix_server",
        ),
        # A virus scanner is asked at the socket that an admin set.
        ("federation/fetch", "server/resources/scanning", *AT_THE_EDGE),
    ),
    Door("a store of files", ("obstore",), ("storage/shelves",)),
    Door("another client", ("ftplib", "http.client", "requests", "urllib.request"), ()),
    Door("a database driver", ("aiosqlite", "asyncpg", "sqlite3"), ("storage/",)),
    Door("the post", ("aiosmtplib", "smtplib"), ("server/mail",)),
    Door(
        "what bovine does unguarded",
        (
            "bovine.BovineActor",
            "bovine.BovineClient",
            "bovine.clients",
            "bovine.crypto.signature_checker",
            "bovine.crypto.build_validate_http_signature",
            "bovine.crypto.build_validate_http_signature_raw",
            "bovine.jsonld",
            "bovine.parse",
        ),
        (),
    ),
)


# What the names of all doors begin with: most of what is used begins otherwise.
TOPS = {name.partition(".")[0] for door in DOORS for name in door.names}


def _covers(name: str, used: str) -> bool:
    return used == name or used.startswith(name + ".")


def trespasses(path: Path, module: ast.Module) -> list[str]:
    """What the module at this path uses without being the room for it, one sentence each."""
    used = {
        (line, name)
        for line, name in chain(names_used(module), imports(module))
        if name.partition(".")[0] in TOPS
    }
    return sorted(
        f"{path}:{line} uses {name}, which is {door.what}"
        for line, name in used
        for door in DOORS
        if not str(path).startswith(door.rooms) and any(_covers(n, name) for n in door.names)
    )


def test_clock_chance_and_network_are_used_only_in_their_rooms() -> None:
    found = [line for path in rooms() for line in trespasses(path, tree(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nx = datetime.now(UTC)",
        "import datetime as d\nfield(default_factory=d.datetime.utcnow)",
        "from time import time as clock\nclock()",
        "from uuid import uuid4\nColumn(default=uuid4)",
        "import random",
        "from secrets import token_hex",
        "import os\nos.urandom(8)",
        "import aiohttp",
        "from aiohttp import ClientSession",
        "import urllib.request",
        "from urllib import request",
        "from http import client",
        "import asyncio\nasyncio.open_connection('a', 1)",
        "import asyncpg",
        "import smtplib",
        "from bovine import BovineActor",
        "import bovine.jsonld",
    ],
)
def test_a_trespass_is_seen_under_any_name(source: str) -> None:
    assert trespasses(Path("server/posts.py"), ast.parse(source))


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("server/clock.py", "from datetime import datetime\ndatetime.now()"),
        ("federation/fetch/door.py", "import aiohttp\nimport socket"),
        ("storage/database.py", "import asyncpg"),
        ("server/posts.py", "from datetime import datetime\ndef f(now: datetime) -> None: ..."),
        ("server/posts.py", "import asyncio\nasyncio.sleep(1)"),
    ],
)
def test_a_room_may_use_what_it_is_for(room: str, source: str) -> None:
    assert trespasses(Path(room), ast.parse(source)) == []
