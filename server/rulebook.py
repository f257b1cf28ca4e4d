# SPDX-License-Identifier: Apache-2.0
"""The rules about other origins, held in memory and in force at once."""

from datetime import datetime
from operator import itemgetter

from sqlalchemy import select

from server import peers
from server.peers import Decision, bare_host
from server.settings import Federation
from storage import versions
from storage.changes import Rows
from storage.database import Database
from storage.peers import PolicyRule

_QUESTION = select(PolicyRule.pattern, PolicyRule.verdict, PolicyRule.expires).order_by(
    PolicyRule.verdict.desc(), PolicyRule.pattern
)


MOST_DECIDED = 2_000


class Rules:
    """Every rule, found by the patterns that can match a host."""

    def __init__(self) -> None:
        # What was decided before, where no rule about the host ever expires.
        self._decided: dict[tuple[Federation, str], Decision] = {}
        # Each with its place in the order of all rules, which a decision's reason goes by.
        self._by_pattern: dict[str, list[tuple[int, PolicyRule]]] = {}

    def add(self, place: int, rule: PolicyRule) -> None:
        self._by_pattern.setdefault(rule.pattern, []).append((place, rule))
        self._decided.clear()

    def decide(self, mode: Federation, host: str, now: datetime) -> Decision:
        """What `peers.decide` says with all the rules."""
        before = self._decided.get((mode, host))
        if before is not None:
            return before
        about = self._about(host)
        decision = peers.decide(mode, about, host, now)
        if len(self._decided) < MOST_DECIDED and all(rule.expires is None for rule in about):
            self._decided[mode, host] = decision
        return decision

    def _about(self, host: str) -> list[PolicyRule]:
        """The rules that match a host, in the order of all rules."""
        name = bare_host(host)
        about = list(self._by_pattern.get(name, ()))
        # Every suffix on a label border that a rule could name.
        border = name.find(".", 1)
        while border > 0:
            about += self._by_pattern.get(f"*{name[border:]}", ())
            border = name.find(".", border + 1)
        if len(about) > 1:
            about.sort(key=itemgetter(0))
        return [rule for _, rule in about]


class Rulebook:
    """Answers what `peers.judge` answers, without reading every rule for every question."""

    def __init__(self, database: Database, mode: Federation) -> None:
        self._mode = mode
        self._kept = database.kept(_QUESTION, by_pattern, versions.POLICY)

    def at_once(self, mark: int | None = None) -> Rules | None:
        """The rules in force, where that can be known without waiting (SQLite); else None.

        With a `mark` of the database, those in force when it was taken, or later.
        """
        return self._kept.at_once(mark)

    async def rules(self) -> Rules:
        """The rules committed before they were asked for, to decide about many hosts at once."""
        return await self._kept.current()

    async def judge(self, host: str, now: datetime, mark: int | None = None) -> Decision:
        """The decision by the rules committed before it was asked for, or before the `mark`."""
        rules = None if mark is None else self._kept.at_once(mark)
        if rules is None:
            rules = await self._kept.current()
        return rules.decide(self._mode, host, now)


def by_pattern(rows: Rows) -> Rules:
    """The rules of rows (pattern, verdict, expires), in the order of `peers.rules`."""
    found = Rules()
    for place, (pattern, verdict, expires) in enumerate(rows):
        found.add(place, PolicyRule(pattern=pattern, verdict=verdict, expires=expires))
    return found
