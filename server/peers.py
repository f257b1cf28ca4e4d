# SPDX-License-Identifier: Apache-2.0
"""Whom we federate with: the rules, the decision, the knocks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server import audit, text
from server.errors import Invalid, NotFound
from server.permissions import Permission, Standing, must
from server.settings import Federation
from server.transaction import Transaction
from storage.base import insert
from storage.forums import Forum
from storage.members import Member
from storage.peers import Knock, Peer, PolicyRule, Verdict
from storage.posts import Post

MOST_KNOCKS = 1_000
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PATTERN = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*\Z")
GUILDHALL = "guildhall"


@dataclass(frozen=True)
class Decision:
    """Whether a host is let in, and why; `explicit` when an allow rule names it."""

    allowed: bool
    explicit: bool
    because: str


def bare_host(host: str) -> str:
    """The host that policy goes by: lower case, no port, no final dot."""
    name = host.strip().lower()
    name = name.partition("://")[2] or name
    return name.partition("/")[0].rpartition("@")[2].partition(":")[0].rstrip(".")


def matches(pattern: str, host: str) -> bool:
    """Exact host, or `*.suffix` on a label border (which the suffix itself is not)."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def decide(mode: Federation, rules: Iterable[PolicyRule], host: str, now: datetime) -> Decision:
    """The one decision about a host, on every surface. Deny wins; expired rules are void."""
    name = bare_host(host)
    if mode is Federation.OFF:
        return Decision(False, False, "Federation is switched off here.")
    live = [r for r in rules if (r.expires is None or r.expires > now) and matches(r.pattern, name)]
    for rule in live:
        if rule.verdict == Verdict.DENY:
            return Decision(False, False, f"The rule “deny {rule.pattern}” keeps it out.")
    for rule in live:
        if rule.verdict == Verdict.ALLOW:
            return Decision(True, True, f"The rule “allow {rule.pattern}” lets it in.")
    if mode is Federation.OPEN:
        return Decision(True, False, "No rule names it, and this instance is open.")
    return Decision(False, False, "No rule lets it in, and only listed agencies may.")


async def rules(session: AsyncSession) -> list[PolicyRule]:
    """Every rule, deny first, then by pattern."""
    question = select(PolicyRule).order_by(PolicyRule.verdict.desc(), PolicyRule.pattern)
    return list((await session.execute(question)).scalars())


async def judge(session: AsyncSession, mode: Federation, host: str, now: datetime) -> Decision:
    """`decide` with the rules in force."""
    return decide(mode, await rules(session), host, now)


async def is_agency(session: AsyncSession, mode: Federation, host: str, now: datetime) -> bool:
    """Whether a host may see forums shared with agencies: named by a rule, and a Guildhall."""
    if not (await judge(session, mode, host, now)).explicit:
        return False
    peer = await session.get(Peer, host)
    return peer is not None and peer.software == GUILDHALL


@dataclass(frozen=True)
class RuleDraft:
    """A rule as an admin writes it; `expires` None for one that stays."""

    pattern: str
    verdict: Verdict = Verdict.ALLOW
    reason: str = ""
    expires: datetime | None = None

    @classmethod
    def read(cls, pattern: str, verdict: str, reason: str, last_day: str) -> "RuleDraft":
        """A draft from a form; `last_day` is `yyyy-mm-dd`, whole in UTC, or empty."""
        faults: dict[str, str] = {}
        if verdict not in set(Verdict):
            faults["verdict"] = "Choose whether to allow or to deny."
        expires = None
        if last_day.strip():
            try:
                expires = datetime.combine(date.fromisoformat(last_day.strip()), time(), UTC)
                expires += timedelta(days=1)
            except (ValueError, OverflowError):
                faults["expires"] = "Enter a day such as 2027-03-31, or leave it empty."
        if faults:
            raise Invalid(faults)
        return cls(pattern, Verdict(verdict), reason, expires)


async def add_rule(tx: Transaction, admin: Member | None, draft: RuleDraft) -> PolicyRule:
    """Add a rule, or change the one for the same pattern; `admin` None at the command line."""
    if admin is not None:
        must(Standing(admin), Permission.DECIDE_POLICY)
    pattern = draft.pattern.strip().lower().rstrip(".")
    pattern = pattern.partition("://")[2].partition("/")[0] or pattern
    any_below = "*." if pattern.startswith("*.") else ""
    pattern = any_below + bare_host(pattern.removeprefix("*."))
    if not _PATTERN.match(pattern) or len(pattern) > 253:
        example = "Enter a host such as lakeside.example.gov, or *.example.gov for all below."
        raise Invalid({"pattern": example})
    if _is_too_wide(pattern) and draft.verdict is Verdict.ALLOW:
        raise Invalid({"pattern": "This would let in a whole top-level domain: be more exact."})
    if draft.expires is not None and draft.expires <= tx.now:
        raise Invalid({"expires": "Choose a day in the future, or leave it empty."})
    found = await tx.session.execute(
        select(PolicyRule).where(PolicyRule.pattern == pattern, PolicyRule.verdict == draft.verdict)
    )
    rule = found.scalar_one_or_none()
    if rule is None:
        rule = PolicyRule(id=tx.ids.next(), pattern=pattern, verdict=draft.verdict, added=tx.now)
        tx.session.add(rule)
    rule.reason = text.clean_line(draft.reason, 500)
    rule.expires = draft.expires
    rule.added_by = admin.uri if admin else "command line"
    await forget_knock(tx, pattern)
    audit.note(tx, rule.added_by, f"policy.{draft.verdict}", pattern, rule.reason)
    await tx.session.flush()
    return rule


def _is_too_wide(pattern: str) -> bool:
    """Whether a pattern covers a top-level domain that is not run for governments alone."""
    suffix = pattern.removeprefix("*.")
    return suffix != pattern and "." not in suffix and suffix not in {"gov", "mil", "localhost"}


async def remove_rule(tx: Transaction, admin: Member | None, rule_id: int) -> PolicyRule:
    """Take a rule back."""
    if admin is not None:
        must(Standing(admin), Permission.DECIDE_POLICY)
    rule = await tx.session.get(PolicyRule, rule_id)
    if rule is None:
        raise NotFound("There is no such rule.")
    await tx.session.delete(rule)
    who = admin.uri if admin else "command line"
    audit.note(tx, who, "policy.removed", rule.pattern, rule.verdict)
    return rule


async def knock(tx: Transaction, host: str) -> None:
    """Count a host not on the list that tried to deliver; the oldest go beyond MOST_KNOCKS."""
    name = bare_host(host)[:255]
    row = await tx.session.get(Knock, name)
    if row is not None:
        row.last = tx.now
        row.count += 1
        return
    held = (await tx.session.execute(select(func.count()).select_from(Knock))).scalar_one()
    if held >= MOST_KNOCKS:
        oldest = select(Knock.host).order_by(Knock.last).limit(1).scalar_subquery()
        await tx.session.execute(delete(Knock).where(Knock.host == oldest))
    await tx.session.execute(
        insert(tx.session, Knock)
        .values(host=name, first=tx.now, last=tx.now, count=1)
        .on_conflict_do_nothing(index_elements=["host"])
    )


async def forget_knock(tx: Transaction, host: str) -> None:
    """A rule now speaks about this host."""
    await tx.session.execute(delete(Knock).where(Knock.host == host))


async def knocks(session: AsyncSession) -> list[Knock]:
    """Who knocked, the latest first."""
    question = select(Knock).order_by(Knock.last.desc()).limit(200)
    return list((await session.execute(question)).scalars())


async def page(session: AsyncSession) -> list[Peer]:
    """Every peer we know of, by host."""
    return list((await session.execute(select(Peer).order_by(Peer.host))).scalars())


async def seen(tx: Transaction, host: str, origin: str) -> Peer:
    """The row of a peer, made when it is new."""
    peer = await tx.session.get(Peer, host)
    if peer is None:
        await tx.session.execute(
            insert(tx.session, Peer)
            .values(
                host=host,
                origin=origin,
                name="",
                software="",
                version="",
                actor="",
                speaks_rfc9421=False,
                first_seen=tx.now,
                failures=0,
                last_error="",
            )
            .on_conflict_do_nothing(index_elements=["host"])
        )
        peer = await tx.session.get_one(Peer, host)
    return peer


class Lookup(Protocol):
    """What pages may ask of the network, filled in by the roof.

    Each waits at most 3 s; raises Unavailable with the reason when there is no answer.
    """

    async def find(self, what: str) -> Forum | Member | Post | None:
        """What a handle (`@permits@host`) or a URL stands for."""
        ...

    async def forums_of(self, host: str) -> list[Forum]:
        """The public forums of an agency."""
        ...

    async def picture(self, url: str) -> bytes:
        """The bytes of a picture on an allowed host, at most 5 MB."""
        ...

    async def describe(self, host: str) -> Peer:
        """What a host runs and calls itself."""
        ...


def shown_name(name: str) -> str:
    """What a peer calls itself, as one short line."""
    return text.clean_line(name, 200)
