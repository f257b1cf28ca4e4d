# SPDX-License-Identifier: Apache-2.0
"""The decision about a host, and the rules behind it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import peers
from server.errors import Invalid, NotAllowed, NotFound
from server.instance import Instance
from server.peers import RuleDraft, bare_host, decide, matches
from server.settings import Federation, Mode, Settings
from storage.members import Member
from storage.peers import PolicyRule, Verdict
from tests import makers
from tests.clock import TurnableClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALLOWLIST, OPEN, OFF = Federation.ALLOWLIST, Federation.OPEN, Federation.OFF

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
patterns = hosts | hosts.map(lambda host: f"*.{host}")


def rule(pattern: str, verdict: str = "allow", expires: datetime | None = None) -> PolicyRule:
    return PolicyRule(pattern=pattern, verdict=verdict, expires=expires, reason="")


@pytest.mark.parametrize(
    ("mode", "rules", "host", "allowed", "explicit"),
    [
        (ALLOWLIST, [], "lakeside.example.gov", False, False),
        (ALLOWLIST, [rule("lakeside.example.gov")], "lakeside.example.gov", True, True),
        (ALLOWLIST, [rule("lakeside.example.gov")], "LakeSide.Example.GOV.", True, True),
        (ALLOWLIST, [rule("lakeside.example.gov")], "lakeside.example.gov:8443", True, True),
        (ALLOWLIST, [rule("lakeside.example.gov")], "data.lakeside.example.gov", False, False),
        (ALLOWLIST, [rule("*.example.gov")], "lakeside.example.gov", True, True),
        (ALLOWLIST, [rule("*.example.gov")], "a.b.example.gov:4101", True, True),
        (ALLOWLIST, [rule("*.example.gov")], "example.gov", False, False),
        (ALLOWLIST, [rule("*.example.gov")], "evilexample.gov", False, False),
        (ALLOWLIST, [rule("*.example.gov")], "example.gov.evil.example", False, False),
        (ALLOWLIST, [rule("*.example.gov"), rule("a.example.gov", "deny")], "a.example.gov", 0, 0),
        (ALLOWLIST, [rule("a.example.gov"), rule("*.example.gov", "deny")], "a.example.gov", 0, 0),
        (ALLOWLIST, [rule("a.gov"), rule("a.gov", "deny")], "a.gov", False, False),
        (ALLOWLIST, [rule("a.gov", expires=NOW)], "a.gov", False, False),
        (ALLOWLIST, [rule("a.gov", expires=NOW + timedelta(seconds=1))], "a.gov", True, True),
        (ALLOWLIST, [rule("a.gov"), rule("a.gov", "deny", NOW)], "a.gov", True, True),
        (OPEN, [], "anyone.example", True, False),
        (OPEN, [rule("anyone.example")], "anyone.example", True, True),
        (OPEN, [rule("*.example", "deny")], "anyone.example", False, False),
        (OPEN, [rule("*.example", "deny", NOW)], "anyone.example", True, False),
        (OFF, [rule("lakeside.example.gov")], "lakeside.example.gov", False, False),
    ],
)
def test_the_table_of_decisions(
    mode: Federation, rules: list[PolicyRule], host: str, allowed: bool, explicit: bool
) -> None:
    decision = decide(mode, rules, host, NOW)
    assert (decision.allowed, decision.explicit) == (bool(allowed), bool(explicit))


def test_the_reason_names_the_rule() -> None:
    rules = [rule("*.example.gov"), rule("old.example.gov", "deny")]
    assert "deny old.example.gov" in decide(ALLOWLIST, rules, "old.example.gov", NOW).because
    assert "allow *.example.gov" in decide(ALLOWLIST, rules, "new.example.gov", NOW).because


@given(st.sampled_from([ALLOWLIST, OPEN]), st.lists(patterns, max_size=5), hosts)
def test_deny_wins_over_whatever_else_is_said(
    mode: Federation, allowed: list[str], host: str
) -> None:
    rules = [rule(pattern) for pattern in allowed] + [rule(host, "deny")]
    assert not decide(mode, rules, host, NOW).allowed
    assert not decide(mode, rules[::-1], host, NOW).allowed


@given(hosts, labels)
def test_a_suffix_ends_at_the_border_of_a_label(suffix: str, label: str) -> None:
    assert matches(f"*.{suffix}", f"{label}.{suffix}")
    assert not matches(f"*.{suffix}", suffix)
    assert not matches(f"*.{suffix}", f"{label}{suffix}")
    assert not matches(f"*.{suffix}", f"{label}.{suffix}.evil")


@given(st.lists(patterns, max_size=5), hosts, st.integers(0, 65_535))
def test_a_port_changes_no_decision(allowed: list[str], host: str, port: int) -> None:
    rules = [rule(pattern) for pattern in allowed]
    bare, with_port = (decide(ALLOWLIST, rules, h, NOW) for h in (host, f"{host}:{port}"))
    assert bare == with_port


@given(st.lists(patterns, max_size=5), hosts, st.timedeltas(timedelta(0), timedelta(days=900)))
def test_a_rule_that_has_run_out_counts_for_nothing(
    given_patterns: list[str], host: str, ago: timedelta
) -> None:
    over = [rule(p, v, NOW - ago) for p in given_patterns for v in ("allow", "deny")]
    for mode in (ALLOWLIST, OPEN):
        assert decide(mode, over, host, NOW) == decide(mode, [], host, NOW)


@given(st.text(max_size=80))
def test_any_text_can_be_asked_about(host: str) -> None:
    assert not decide(ALLOWLIST, [rule("lakeside.example.gov")], "x" + host + "x", NOW).allowed
    assert bare_host(host) == bare_host(bare_host(host)) or "://" in host or "@" in host


async def test_a_rule_is_added_changed_and_removed(instance: Instance, admin: Member) -> None:
    async with instance.transaction() as tx:
        made = await peers.add_rule(tx, admin, RuleDraft("https://Lakeside.example.gov:8443/about"))
        again = await peers.add_rule(tx, admin, RuleDraft("lakeside.example.gov", reason="pilot"))
    assert (made.pattern, made.id, made.reason) == ("lakeside.example.gov", again.id, "pilot")
    async with instance.transaction() as tx:
        await peers.remove_rule(tx, admin, made.id)
    async with instance.reading() as session:
        assert await peers.rules(session) == []
    with pytest.raises(NotFound):
        async with instance.transaction() as tx:
            await peers.remove_rule(tx, admin, made.id)


async def test_ports_are_ignored_in_rules_for_many_hosts(instance: Instance, admin: Member) -> None:
    async with instance.transaction() as tx:
        made = await peers.add_rule(tx, admin, RuleDraft("*.localhost:4101"))
    assert made.pattern == "*.localhost"


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "*.",
        "a b.gov",
        "*.*.gov",
        "a.*.gov",
        "-a.gov",
        "a..gov",
        "ä.gov",
        "a" * 254,
        "*.org",
        "org",
        "gov",
        "riverton.localhost",
        "http://riverton.localhost:8000/f/permits",
    ],
)
async def test_what_is_no_host_is_no_rule(instance: Instance, admin: Member, pattern: str) -> None:
    with pytest.raises(Invalid) as refused:
        async with instance.transaction() as tx:
            await peers.add_rule(tx, admin, RuleDraft(pattern))
    assert list(refused.value.fields) == ["pattern"]


@pytest.mark.parametrize("pattern", ["*.gov", "*.mil", "*.localhost", "localhost"])
async def test_what_governments_run_alone_may_be_let_in_whole(
    instance: Instance, admin: Member, pattern: str
) -> None:
    async with instance.transaction() as tx:
        made = await peers.add_rule(tx, admin, RuleDraft(pattern))
    assert made.pattern == pattern


class TestInProduction:
    """An instance that is no trial."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(
            update={"mode": Mode.PRODUCTION, "origin": "https://riverton.example.gov"}
        )

    @pytest.mark.parametrize("pattern", ["localhost", "*.localhost", "riverton.example.gov"])
    async def test_this_machine_is_no_agency(
        self, instance: Instance, admin: Member, pattern: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            async with instance.transaction() as tx:
                await peers.add_rule(tx, admin, RuleDraft(pattern))
        assert list(refused.value.fields) == ["pattern"]


async def test_a_reason_stays_until_another_is_given(instance: Instance, admin: Member) -> None:
    said = []
    for reason in ("Agreement of 2026", None, "", "x" * 500):
        async with instance.transaction() as tx:
            made = await peers.add_rule(tx, admin, RuleDraft("a.gov", reason=reason))
            said.append(made.reason)
    assert said == ["Agreement of 2026", "Agreement of 2026", "", "x" * 500]
    with pytest.raises(Invalid) as refused:
        async with instance.transaction() as tx:
            await peers.add_rule(tx, admin, RuleDraft("a.gov", reason="x" * 501))
    assert refused.value.fields == {"reason": "Keep it to 500 characters: this has 501."}


async def test_a_whole_domain_may_be_denied(instance: Instance, admin: Member) -> None:
    async with instance.transaction() as tx:
        made = await peers.add_rule(tx, admin, RuleDraft("*.example", Verdict.DENY))
    assert made.verdict == Verdict.DENY


async def test_only_administrators_decide(instance: Instance) -> None:
    ana = await makers.member(instance)
    with pytest.raises(NotAllowed):
        async with instance.transaction() as tx:
            await peers.add_rule(tx, ana, RuleDraft("lakeside.example.gov"))


def test_a_rule_of_a_form_lasts_to_the_end_of_its_day() -> None:
    draft = RuleDraft.read("a.gov", "deny", "", "2027-03-31")
    assert draft.expires == datetime(2027, 4, 1, tzinfo=UTC)
    assert RuleDraft.read("a.gov", "allow", "", " ").expires is None


@pytest.mark.parametrize(
    ("verdict", "day", "field"),
    [
        ("maybe", "", "verdict"),
        ("allow", "tomorrow", "expires"),
        ("allow", "9999-12-31", "expires"),
    ],
)
def test_a_form_that_says_nothing_clear_is_refused(verdict: str, day: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        RuleDraft.read("a.gov", verdict, "", day)
    assert list(refused.value.fields) == [field]


async def test_a_knock_is_counted_until_a_rule_speaks(
    instance: Instance, admin: Member, clock: TurnableClock
) -> None:
    for _ in range(3):
        async with instance.transaction() as tx:
            await peers.knock(tx, "Lakeside.example.gov:443")
        clock.turn(minutes=5)
    async with instance.reading() as session:
        (knock,) = await peers.knocks(session)
    assert (knock.host, knock.count) == ("lakeside.example.gov", 3)
    assert knock.last - knock.first == timedelta(minutes=10)
    async with instance.transaction() as tx:
        await peers.add_rule(tx, admin, RuleDraft("lakeside.example.gov"))
    async with instance.reading() as session:
        assert await peers.knocks(session) == []


async def test_knocks_are_bounded_and_the_oldest_go(
    instance: Instance, clock: TurnableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "MOST_KNOCKS", 3)
    for number in range(5):
        async with instance.transaction() as tx:
            await peers.knock(tx, f"host{number}.example")
        clock.turn(minutes=1)
    async with instance.reading() as session:
        hosts = [knock.host for knock in await peers.knocks(session)]
    assert hosts == ["host4.example", "host3.example", "host2.example"]


async def test_forums_for_agencies_need_a_rule_and_the_same_software(
    instance: Instance, admin: Member
) -> None:
    now = instance.clock.now()
    async with instance.transaction() as tx:
        await peers.add_rule(tx, admin, RuleDraft("*.example.gov"))
        for host, software in (("a.example.gov", "guildhall"), ("b.example.gov", "mastodon")):
            (await peers.seen(tx, host, f"https://{host}")).software = software
        (await peers.seen(tx, "c.example", "https://c.example")).software = "guildhall"
    async with instance.reading() as session:
        hosts = ("a.example.gov", "b.example.gov", "c.example", "d.example.gov")
        found = [host for host in hosts if await peers.is_agency(session, OPEN, host, now)]
    assert found == ["a.example.gov"]
