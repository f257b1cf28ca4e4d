# SPDX-License-Identifier: Apache-2.0
"""The rules about other origins, held in memory and in force at once."""

from datetime import datetime

from sqlalchemy import select

from server.peers import Decision, bare_host, decide
from server.settings import Federation
from storage.changes import Rows
from storage.database import Database
from storage.peers import PolicyRule

_QUESTION = select(PolicyRule.pattern, PolicyRule.verdict, PolicyRule.expires).order_by(
    PolicyRule.verdict.desc(), PolicyRule.pattern
)

# By pattern, each with its place in the order of the rules.
_Rules = dict[str, list[tuple[int, PolicyRule]]]


class Rulebook:
    """Answers what `peers.judge` answers, without reading every rule for every question."""

    def __init__(self, database: Database, mode: Federation) -> None:
        self._mode = mode
        self._kept = database.kept(_QUESTION, _by_pattern)

    def at_once(self, host: str, now: datetime) -> Decision | None:
        """The decision without waiting; None where the database must be asked first."""
        rules = self._kept.at_once()
        return None if rules is None else self._decide(rules, host, now)

    async def judge(self, host: str, now: datetime) -> Decision:
        """The decision by the rules committed before it was asked for."""
        return self._decide(await self._kept.current(), host, now)

    def _decide(self, rules: _Rules, host: str, now: datetime) -> Decision:
        name = bare_host(host)
        about = list(rules.get(name, ()))
        # Every suffix on a label border that a rule could name.
        border = name.find(".", 1)
        while border > 0:
            about += rules.get(f"*{name[border:]}", ())
            border = name.find(".", border + 1)
        if len(about) > 1:
            about.sort(key=lambda placed: placed[0])
        return decide(self._mode, [rule for _, rule in about], host, now)


def _by_pattern(rows: Rows) -> _Rules:
    found: _Rules = {}
    for place, (pattern, verdict, expires) in enumerate(rows):
        rule = PolicyRule(pattern=pattern, verdict=verdict, expires=expires)
        found.setdefault(pattern, []).append((place, rule))
    return found
