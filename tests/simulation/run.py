# SPDX-License-Identifier: Apache-2.0
"""One run: a world, a history, trouble, peace, and what then holds."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from tests.machine import log_plainly
from tests.simulation.history import History
from tests.simulation.invariants import Order, check, differences
from tests.simulation.troubles import TROUBLES
from tests.simulation.virtual_time import shown
from tests.simulation.world import World, world

# What is published of the engine: whoever follows is level again so soon after any heal.
LEVEL_WITHIN = 900.0
# Who comes back says so, and need not wait for anybody's next try.
LEVEL_AFTER_RETURN = 120.0
LONGEST_BACKOFF = 6 * 3600.0
LAST_EVENTS = 12

Trouble = Callable[[World, History], Awaitable[None]]


@dataclass
class Report:
    """What a run found; nothing, one hopes."""

    seed: int
    trouble: str
    digest: str = ""
    requests: int = 0
    deeds: int = 0
    level_after: float | None = None
    ended: float = 0.0
    findings: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line when all holds; else everything that helps to see why not."""
        level = "never" if self.level_after is None else f"{self.level_after:.0f} s"
        line = (
            f"seed {self.seed}: {self.trouble}, {self.deeds} deeds, {self.requests} requests, "
            f"{shown(self.ended)} of virtual time, level after {level}, trace {self.digest[:12]}"
        )
        if not self.findings:
            return line
        return "\n".join(
            [
                line,
                *self.findings,
                "the last events about them:",
                *self.events,
                f'run it again: make simulate SEEDS="{self.seed}"',
            ]
        )


def trouble_of(seed: int) -> str:
    """Each seed has one kind of trouble, in turn."""
    names = list(TROUBLES)
    return names[seed % len(names)]


def simulate(seed: int, act: Trouble | None = None, *, size: int = 3) -> Report:
    """Run one seed with so many agencies; `act` in place of its trouble."""
    name = trouble_of(seed) if act is None else act.__name__.replace("_", " ")
    report = Report(seed, name)
    # Printing the traces of what a crash interrupts would take longer than all the rest.
    structlog.configure(processors=[_silent], logger_factory=structlog.ReturnLoggerFactory())
    # What is logged about connections that a crash left open says nothing new.
    logging.disable(logging.CRITICAL)
    try:
        with world(seed, size, stranger=name == "a stranger") as made:
            made.loop.run_until_complete(_live(made, act or TROUBLES[name], report))
    finally:
        logging.disable(logging.NOTSET)
        log_plainly()
    return report


def _silent(_logger: object, _name: str, _event: structlog.typing.EventDict) -> str:
    raise structlog.DropEvent


async def _live(made: World, act: Trouble, report: Report) -> None:
    history, order = History(made), Order(made)
    await made.found()
    await act(made, history)
    made.network.heal()
    back = [node for node in made.nodes if not node.alive]
    for node in back:
        await node.start()
    # Nothing new is done after the heal: what was missed must come by itself.
    within = LEVEL_AFTER_RETURN if back else LEVEL_WITHIN
    report.level_after = await _level(made, order, within)
    if report.level_after is None:
        report.findings += [f"11: not level {within:.0f} s after the heal"]
        report.findings += differences(made)
    await made.let_fly(2 * LONGEST_BACKOFF, LONGEST_BACKOFF / 2)
    order.look()
    report.findings += [*order.found, *made.findings, *check(made, history)]
    report.digest, report.requests = made.digest, len(made.network.asked)
    report.deeds, report.ended = len(history.deeds), made.loop.time()
    report.events = _events(made, history, report.findings)


async def _level(made: World, order: Order, within: float) -> float | None:
    async def unlike() -> str:
        order.look()
        return "\n".join(differences(made))

    return await made.until(unlike, within, every=10.0)


def _events(made: World, history: History, findings: list[str]) -> list[str]:
    """What was done and sent about the objects that the findings name."""
    named = {
        word.rstrip(":,").partition("#")[0]
        for finding in findings
        for word in finding.split()
        if word.startswith("http")
    }
    things = {uri for uri in named if "/p/" in uri}
    lines = [f"{shown(d.at)} {d.node} {d.what}: {d.ended}" for d in history.deeds]
    lines += made.network.trace
    about = [line for line in lines if any(uri.rpartition("/")[2] in line for uri in things)]
    return sorted(about)[-LAST_EVENTS * max(1, len(things)) :]
