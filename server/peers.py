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
from server.settings import Federation, Mode
from server.transaction import Transaction
from storage.base import insert
from storage.forums import Forum
from storage.members import Member
from storage.peers import Knock, Peer, PolicyRule, Verdict
from storage.plain import Put, Question, ask, given, whole
from storage.posts import Post

MOST_KNOCKS = 1_000
LONGEST_REASON = 500
_TAIL = re.compile(r"[\s.]+\Z")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PATTERN = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*\Z")
GUILDHALL = "guildhall"
_RULES: Question[PolicyRule] = Question(
    select(PolicyRule).order_by(PolicyRule.verdict.desc(), PolicyRule.pattern), whole
)
_RUNS = Question(
    select(Peer.software, Peer.described.is_not(None)).where(
        Peer.host == given("host", Peer.host.type)
    ),
    lambda software, is_described: (software, is_described),
)


@dataclass(frozen=True)
class Decision:
    """Whether a host is let in, and why; `explicit` when an allow rule names it."""

    allowed: bool
    explicit: bool
    because: str


def bare_host(host: str) -> str:
    """The host that policy goes by: lower case, no port, no final dot."""
    name = host.strip().lower()
    name = name.partition("://")[2] if "://" in name else name
    name = name.partition("/")[0].rpartition("@")[2].partition(":")[0]
    return _TAIL.sub("", name.lstrip())


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
    return await ask(session, _RULES)


async def judge(session: AsyncSession, mode: Federation, host: str, now: datetime) -> Decision:
    """`decide` with the rules in force."""
    return decide(mode, await rules(session), host, now)


async def is_agency(session: AsyncSession, mode: Federation, host: str, now: datetime) -> bool:
    """Whether a host may see forums shared with agencies: named by a rule, and a Guildhall."""
    if not (await judge(session, mode, host, now)).explicit:
        return False
    return await is_guildhall(session, host)


def ahead(host: str) -> Put:
    """What `is_guildhall` and `is_described` ask."""
    return _RUNS, {"host": host}


async def is_guildhall(session: AsyncSession, host: str) -> bool:
    """Whether a host is known to run what we run."""
    return any(software == GUILDHALL for software, _ in await ask(session, _RUNS, host=host))


async def is_described(session: AsyncSession, host: str) -> bool:
    """Whether a host has told what it runs."""
    return any(told for _, told in await ask(session, _RUNS, host=host))


@dataclass(frozen=True)
class RuleDraft:
    """A rule as an admin writes it; `expires` None for one that stays.

    `reason` None leaves the one of a rule that is there already.
    """

    pattern: str
    verdict: Verdict = Verdict.ALLOW
    reason: str | None = None
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
    pattern = bare_pattern(draft.pattern)
    _check(draft, pattern, tx)
    found = await tx.session.execute(
        select(PolicyRule).where(PolicyRule.pattern == pattern, PolicyRule.verdict == draft.verdict)
    )
    rule = found.scalar_one_or_none()
    if rule is None:
        rule = PolicyRule(id=tx.ids.next(), pattern=pattern, verdict=draft.verdict, added=tx.now)
        tx.session.add(rule)
    if draft.reason is not None or rule.reason is None:
        rule.reason = text.clean_line(draft.reason or "", LONGEST_REASON)
    rule.expires = draft.expires
    rule.added_by = admin.uri if admin else "command line"
    await forget_knock(tx, pattern)
    audit.note(tx, rule.added_by, f"policy.{draft.verdict}", pattern, rule.reason)
    await tx.session.flush()
    return rule


def bare_pattern(pattern: str) -> str:
    """The pattern that a rule is kept under: of an address its host, without a port."""
    name = pattern.strip().lower().rstrip(".")
    name = name.partition("://")[2].partition("/")[0] if "://" in name else name
    any_below = "*." if name.startswith("*.") else ""
    return any_below + bare_host(name.removeprefix("*."))


def _check(draft: RuleDraft, pattern: str, tx: Transaction) -> None:
    """Invalid names every field of a rule that needs another look."""
    faults: dict[str, str] = {}
    if not _PATTERN.match(pattern) or len(pattern) > 253:
        example = "Enter a host such as lakeside.example.gov, or *.example.gov for all below."
        faults["pattern"] = example
    elif draft.verdict is Verdict.ALLOW and pattern == tx.settings.hostname:
        faults["pattern"] = "This is our own host: name another agency’s."
    elif draft.verdict is Verdict.ALLOW and _is_too_wide(pattern, tx.settings.mode):
        faults["pattern"] = "This names a whole top-level domain: be more exact."
    length = len(draft.reason or "")
    if length > LONGEST_REASON:
        faults["reason"] = f"Keep it to {LONGEST_REASON} characters: this has {length}."
    if draft.expires is not None and draft.expires <= tx.now:
        faults["expires"] = "Choose a day in the future, or leave it empty."
    if faults:
        raise Invalid(faults)


def _is_too_wide(pattern: str, mode: Mode) -> bool:
    """Whether a pattern names a top-level domain, and not all below one of governments alone."""
    if "." in pattern.removeprefix("*."):
        return False
    if mode is not Mode.PRODUCTION and pattern in {"localhost", "*.localhost"}:
        return False
    return pattern not in {"*.gov", "*.mil"}


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
                has_groups=False,
                first_seen=tx.now,
                failures=0,
                last_error="",
            )
            .on_conflict_do_nothing(index_elements=["host"])
        )
        peer = await tx.session.get_one(Peer, host)
    return peer


@dataclass(frozen=True)
class Wanted:
    """A file at another agency, which has to have this SHA-256 and this many bytes.

    Which kind of text it is, its name says.
    """

    url: str
    sha256: str
    size: int
    name: str


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

    async def file(self, wanted: Wanted) -> bool:
        """Whether a file of another agency is here now; False while it is still on its way."""
        ...

    async def describe(self, host: str) -> Peer:
        """What a host runs and calls itself."""
        ...

    async def compared(self, forum: Forum) -> Forum:
        """A copy once it was compared with its home, as was asked for in this row."""
        ...

    def opened(self, thread: int) -> None:
        """A member opened the thread of this id, a copy; answers without waiting for anything."""
        ...


def shown_name(name: str) -> str:
    """What a peer calls itself, as one short line."""
    return text.clean_line(name, 200)
