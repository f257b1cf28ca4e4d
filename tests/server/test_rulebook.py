# SPDX-License-Identifier: Apache-2.0
"""The rules in memory decide as all the rules in the database do."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.instance import Instance
from server.peers import RuleDraft, add_rule, decide, judge
from server.rulebook import Rulebook, by_pattern
from server.settings import Federation
from storage.peers import PolicyRule, Verdict
from tests.clock import TurnableClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LABELS = st.sampled_from(["a", "b", "gov", "uk", "", "x-y"])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
PATTERNS = HOSTS | HOSTS.map("*.{}".format)
RULES = st.lists(
    st.tuples(
        PATTERNS,
        st.sampled_from(list(Verdict)),
        st.none() | st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours)),
    ),
    max_size=8,
    unique_by=lambda rule: rule[:2],
)


@given(RULES, HOSTS, st.sampled_from(list(Federation)), st.sampled_from(["", ":8000", "."]))
def test_the_index_leaves_out_no_rule_that_matters(
    found: list[tuple[str, Verdict, datetime | None]], host: str, mode: Federation, tail: str
) -> None:
    rows = sorted(found, key=lambda rule: (rule[1] != Verdict.DENY, rule[0]))
    rules = [PolicyRule(pattern=p, verdict=v, expires=e) for p, v, e in rows]
    asked = host + tail
    assert by_pattern(rows).decide(mode, asked, NOW) == decide(mode, rules, asked, NOW)


async def test_a_rule_counts_from_its_commit_until_it_expires(
    instance: Instance, clock: TurnableClock
) -> None:
    mode = Federation.ALLOWLIST
    book = Rulebook(instance.database, mode)
    host = "lakeside.example.gov"
    assert not (await book.judge(host, clock.now())).allowed
    async with instance.transaction() as tx:
        until = clock.now() + timedelta(hours=1)
        await add_rule(tx, None, RuleDraft("*.example.gov", expires=until))
    assert (await book.judge(host, clock.now())).explicit
    async with instance.transaction() as tx:
        await add_rule(tx, None, RuleDraft(host, Verdict.DENY))
    async with instance.reading() as session:
        assert await book.judge(host, clock.now()) == await judge(session, mode, host, clock.now())
    other = "harbor.example.gov"
    assert (await book.judge(other, clock.now())).allowed
    clock.turn(hours=1)
    assert not (await book.judge(other, clock.now())).allowed
