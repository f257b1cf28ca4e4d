# SPDX-License-Identifier: Apache-2.0
"""How the threads of a made-up town are shaped, post by post."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

BEGIN = datetime(2023, 11, 1, tzinfo=UTC)
SPAN_SECONDS = 3 * 365 * 86_400
SHORT, LONG = 20, 300
# What every town has at least, so that as much is asked of the small as of the large.
SHORT_ONES, LONG_ONES, IN_THE_BUSIEST = 12, 1, 40
BRANCHES_OF_A_LONG_ONE = 30
LONGEST = 50_000
DEEPEST = 7


@dataclass
class Shape:
    """One thread: how many replies, and what was given out of it so far."""

    forum: int
    replies: int
    opened: float
    opener: int = 0
    branches: list[int] = field(default_factory=list)
    said: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def most_branches(self) -> int:
        # A page shows forty branches: a long thread must fit on one.
        return BRANCHES_OF_A_LONG_ONE if self.replies == LONG else self.replies


@dataclass(frozen=True)
class Place:
    """Where a post stands; `branch` and `parent` are None for an opener."""

    identifier: int
    moment: datetime
    thread: Shape
    branch: int | None
    parent: int | None


def shapes(posts: int, forums: int, chance: random.Random) -> list[Shape]:
    """Threads that hold `posts` posts together, some of exactly 20 and of 300 replies."""
    lengths = [SHORT] * max(1, min(SHORT_ONES, posts // 40), posts // 250)
    if posts > 500:
        lengths += [LONG] * max(LONG_ONES, posts // 6_000)
    if posts >= 100_000:
        lengths.append(min(LONGEST, posts // 20))
    left = posts - sum(lengths) - len(lengths)
    while left > 0:
        length = min(int(chance.expovariate(1 / 7)), 200, left - 1)
        lengths.append(length)
        left -= length + 1
    chance.shuffle(lengths)
    # Half of all threads are in the first forum or two, as everywhere.
    homes = [min(int(chance.expovariate(4 / forums)), forums - 1) for _ in lengths]
    for number in chance.sample(range(len(homes)), min(IN_THE_BUSIEST, len(homes))):
        homes[number] = 0
    opened = sorted(chance.random() * SPAN_SECONDS * 0.97 for _ in lengths)
    return [Shape(*three) for three in zip(homes, lengths, opened, strict=True)]


def places(posts: int, forums: int, seed: int = 11) -> Iterator[Place]:
    """Every post in the order in which it was written, threads interleaved."""
    chance = random.Random(seed)
    threads = shapes(posts, forums, chance)
    moments = []
    for number, thread in enumerate(threads):
        moments.append((thread.opened, number))
        room = min(SPAN_SECONDS - thread.opened, 30 * 86_400 + thread.replies * 3_600)
        moments += [
            (thread.opened + 60 + chance.random() * room, number) for _ in range(thread.replies)
        ]
    moments.sort()
    begin, last = BEGIN.timestamp(), 0
    for seconds, number in moments:
        thread = threads[number]
        last = max(last + 1, int((begin + seconds) * 1000) << 16 | chance.getrandbits(16))
        moment = datetime.fromtimestamp((last >> 16) / 1000, UTC)
        branch, parent = _answered(thread, last, chance)
        yield Place(last, moment, thread, branch, parent)


def _answered(
    thread: Shape, identifier: int, chance: random.Random
) -> tuple[int | None, int | None]:
    """(branch, parent) of the next post of a thread."""
    if not thread.opener:
        thread.opener = identifier
        return None, None
    room = len(thread.branches) < thread.most_branches
    if not thread.branches or (room and (thread.replies == LONG or chance.random() < 0.6)):
        thread.branches.append(identifier)
        thread.said.append((identifier, identifier, 1))
        return identifier, thread.opener
    recent = range(max(0, len(thread.said) - 40), len(thread.said))
    branch, parent, depth = thread.said[chance.choice(recent)]
    # What is deeper is folded away on the page, and people seldom go there.
    if depth < DEEPEST:
        thread.said.append((branch, identifier, depth + 1))
    return branch, parent
