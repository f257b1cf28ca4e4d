# SPDX-License-Identifier: Apache-2.0
"""`python -m bench`: measures, prints the table, keeps the report."""

import argparse
import fcntl
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from bench import fanout, idle, ingest, pages, report, texts, town
from bench.processes import CannotMeasure
from bench.report import PATH
from bench.result import Line
from bench.setting import KINDS, Bench

A_WEEK = 7 * 86_400


def main(arguments: list[str] | None = None) -> int:
    """0 unless something could not be measured."""
    given = _parser().parse_args(arguments)
    bench = Bench(
        sizes=[_size(size) for size in given.sizes.split(",")],
        kinds=given.databases.split(","),
        cache=town.cache(),
        scale=0.02 if given.quick else 1.0,
        quick=given.quick,
    )
    begun = time.monotonic()
    lines: list[Line] = []
    faults: list[str] = []
    # What was started is stopped, however the run ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _forget_old(bench.cache)
    lock = _alone(bench.cache)
    if given.fresh:
        _forget(bench.cache)
    try:
        limits = bench.ceilings.measure()
        print(report.limits(limits), report.heading(), sep="\n\n", flush=True)
        for part in _parts(bench, given.only):
            try:
                for line in part():
                    lines.append(line)
                    print(report.line(line), flush=True)
            except CannotMeasure as fault:
                faults.append(str(fault))
                print(f"could not be measured: {fault}", flush=True)
        report.keep(limits, lines, faults, given.report)
    finally:
        bench.close()
        lock.close()
    missed = [line for line in lines if line.held is False]
    print(
        f"\n{len(lines)} lines, {len(missed)} not held, {len(faults)} not measured, "
        f"{time.monotonic() - begun:.0f} s; {given.report}"
    )
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names, or beginnings of words")
    parser.add_argument("--sizes", default="1k,100k,1M", help="posts, such as 1k,100k,1M")
    parser.add_argument("--databases", default=",".join(KINDS), help="sqlite, postgresql")
    parser.add_argument("--quick", action="store_true", help="a fiftieth of everything")
    parser.add_argument("--fresh", action="store_true", help="build the towns anew")
    parser.add_argument("--report", type=Path, default=PATH, help="where the report is kept")
    return parser


def _alone(cache: Path) -> IO[str]:
    """Wait for another run on this machine: they would disturb each other."""
    lock = (cache / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another run is measuring: waiting for it.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _forget(cache: Path) -> None:
    """Have every town built anew."""
    for kept in cache.iterdir():
        if kept.is_dir():
            shutil.rmtree(kept, ignore_errors=True)


def _forget_old(cache: Path) -> None:
    """Drop towns of other schemas that nobody asked for in a week: they are large."""
    for other in cache.parent.glob(f"guildhall-bench-{'[0-9a-f]' * 12}"):
        lock = other / "lock"
        if other != cache and lock.exists() and lock.stat().st_mtime < time.time() - A_WEEK:
            shutil.rmtree(other, ignore_errors=True)


def _size(text: str) -> int:
    factor = {"k": 1_000, "M": 1_000_000}.get(text[-1:], 1)
    return int(text[:-1] if factor > 1 else text) * factor


def _parts(bench: Bench, only: list[str]) -> Iterator[Callable[[], Iterator[Line]]]:
    """What was asked for, each part a thing that may fail alone."""

    def wanted(name: str) -> bool:
        return not only or any(asked in name for asked in only)

    yield partial(texts.run, wanted)
    for kind in bench.kinds:
        yield partial(ingest.run, bench, kind, wanted)
        yield partial(fanout.run, bench, kind, wanted)
        yield partial(pages.run, bench, kind, wanted)
        yield partial(idle.run, bench, kind, wanted)


if __name__ == "__main__":
    sys.exit(main())
