# SPDX-License-Identifier: Apache-2.0
"""What a server costs before anybody asks anything of it."""

import asyncio
import time
from collections.abc import Callable, Iterator

from bench import town
from bench.measures import Json, get
from bench.processes import CannotMeasure
from bench.product import HOST, Product
from bench.result import Line
from bench.setting import Bench

# Where a thread page's event stream is; a server that has none answers 404.
STREAM = "/p/{thread}/events"
STREAMS = 1_000
STARTS = 3
HELD_SECONDS = 3.0


def run(bench: Bench, kind: str, only: Callable[[str], bool]) -> Iterator[Line]:
    """Cold start, memory at rest, memory with many open event streams."""
    if only("start"):
        yield _start(bench, kind)
    if only("streams"):
        yield _streams(bench, kind)


def _start(bench: Bench, kind: str) -> Line:
    """From exec to the first 200 of /healthz; the quickest of a few, each a new process."""
    place = bench.town(kind, bench.smallest)
    found = []
    for _ in range(STARTS):
        with bench.folder() as folder:
            product = Product(place.database, place.state, folder)
            try:
                product.serve()
                found.append((product.started_in, product.cpu(), product.memory()))
            finally:
                product.stop()
    if not found:
        raise CannotMeasure("No start was asked for.")
    seconds, cpu, memory = min(found)
    figures: Json = {"seconds": round(seconds, 2), "cpu_seconds": cpu, "memory_mb": round(memory)}
    return Line(
        "start, memory at rest",
        kind,
        bench.smallest,
        f"{seconds:.2f} s",
        figures,
        note=f"{cpu:.2f} s of processor, {memory:.0f} MB",
    )


def _streams(bench: Bench, kind: str) -> Line:
    wanted = bench.count(STREAMS)
    with bench.folder() as folder:
        place = town.copied(
            bench.town(kind, bench.smallest), folder, "streams", bench.cluster(kind)
        )
        product = Product(place.database, place.state, folder)
        try:
            product.serve()
            path = STREAM.format(thread=place.short[0])
            status, memory, cpu = asyncio.run(_hold(product, path, wanted))
        finally:
            product.stop()
    name = f"streams, {wanted:,} idle"
    if status != 200:
        return Line(name, kind, bench.smallest, "not offered")
    figures: Json = {"memory_mb": round(memory, 1), "kb_each": round(memory / wanted * 1024, 1)}
    return Line(
        name,
        kind,
        bench.smallest,
        f"+{memory:,.0f} MB",
        figures | {"cpu_share": round(cpu / HELD_SECONDS, 3)},
        note=f"{cpu / HELD_SECONDS:.1%} of a core while idle",
    )


async def _hold(product: Product, path: str, wanted: int) -> tuple[int, float, float]:
    """(status, megabytes more, processor seconds while held) of many open streams."""
    before = product.memory()
    request = get(HOST, path, accept="text/event-stream")
    opened: list[asyncio.StreamWriter] = []
    try:
        for _ in range(wanted):
            reader, writer = await asyncio.open_connection("127.0.0.1", product.ports[0])
            opened.append(writer)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b"text/event-stream" not in head.lower():
                # A page is no stream: the address may be that of the thread itself.
                return 404, 0.0, 0.0
        cpu, begun = product.cpu(), time.monotonic()
        await asyncio.sleep(HELD_SECONDS)
        used = (product.cpu() - cpu) * HELD_SECONDS / (time.monotonic() - begun)
        return 200, product.memory() - before, used
    finally:
        for writer in opened:
            writer.close()
