# SPDX-License-Identifier: Apache-2.0
"""A forum with followers on many hosts, put straight into its database."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import func, insert, select, update

from bench import town
from bench.elsewhere import Elsewhere
from bench.ingest import DOMAIN, SENDER, allow
from bench.product import Product
from bench.setting import Bench
from bench.town import Town
from server.instance import Instance
from server.posts import writing
from server.posts.drafts import ThreadDraft
from server.transaction import Transaction
from storage import forums, log, members
from storage.base import Base, in_batches
from storage.facts import FactRow
from storage.forums import Forum, ForumFollow
from storage.keys import ActorKey
from storage.log import Lane, LogRow, Subscription
from storage.members import Member
from storage.peers import Peer

# Software that takes one form of a post, and whose NodeInfo nobody has to ask for.
SOFTWARE = "piefed"
TEXT = "We cut the time of a permit from **21 days to 12.6**, and this is how.\n\n" * 12


@dataclass
class Following:
    """A served forum whose followers all live behind one sink."""

    product: Product
    elsewhere: Elsewhere
    place: Town
    hosts: list[str]
    keys: dict[str, rsa.RSAPublicKey]

    def post(self) -> int:
        """A member opens a thread; how many rows of the log tell of earlier posts."""
        return asyncio.run(_post(self.place))

    def log_rows(self) -> int:
        return asyncio.run(_log_rows(self.place))


async def _post(place: Town) -> int:
    instance = await town.opened(place)
    try:
        async with instance.reading() as session:
            rows = (await session.execute(select(func.count()).select_from(LogRow))).scalar_one()
        async with instance.transaction() as tx:
            author = await members.by_handle(tx.session, town.READER)
            forum = await forums.by_handle(tx.session, town.FORUM)
            assert author is not None
            assert forum is not None
            draft = ThreadDraft("How we cut the time of a permit", TEXT, ("permits",))
            await writing.post_thread(tx, author, forum, draft)
        return rows
    finally:
        await instance.close()


async def _log_rows(place: Town) -> int:
    instance = await town.opened(place)
    try:
        async with instance.reading() as session:
            return (await session.execute(select(func.count()).select_from(LogRow))).scalar_one()
    finally:
        await instance.close()


async def _seed(place: Town, hosts: list[str]) -> dict[str, rsa.RSAPublicKey]:
    """A follower on each host, as accepted follows leave them; the public keys of our actors."""
    instance = await town.opened(place)
    try:
        async with instance.transaction() as tx:
            # What happened in the town before it had followers is told to nobody.
            await tx.session.execute(update(FactRow).values(done=tx.now))
            forum = await forums.by_handle(tx.session, town.FORUM)
            assert forum is not None
            for batch in in_batches(hosts):
                await _follow(tx, forum, list(batch))
            forum.follower_count += len(hosts)
        return await _public_keys(instance)
    finally:
        await instance.close()


async def _follow(tx: Transaction, forum: Forum, hosts: list[str]) -> None:
    last = await log.last_seq(tx.session)
    rows: dict[type[Base], list[dict[str, object]]] = {
        table: [] for table in (Member, ForumFollow, Peer, Lane, Subscription)
    }
    for host in hosts:
        member, lane, uri = tx.ids.next(), tx.ids.next(), f"http://{host}/u/follower"
        inbox = f"http://{host}/inbox"
        rows[Member].append(
            {"id": member, "uri": uri, "url": uri, "handle": "follower", "peer": host}
            | {"name": "Follower", "inbox": f"{uri}/inbox", "shared_inbox": inbox}
            | {"created": tx.now, "updated": tx.now}
        )
        rows[ForumFollow].append(
            {"forum_id": forum.id, "member_id": member, "state": "accepted"}
            | {"uri": f"{uri}#follow", "created": tx.now}
        )
        rows[Peer].append(
            {"host": host, "origin": f"http://{host}", "software": SOFTWARE, "version": "1"}
            | {"described": tx.now, "first_seen": tx.now}
        )
        rows[Lane].append(
            {"id": lane, "inbox": inbox, "peer": host, "cursor": last, "created": tx.now}
        )
        rows[Subscription].append(
            {"id": tx.ids.next(), "audience": forum.uri, "lane_id": lane, "from_seq": last + 1}
        )
    for table, made in rows.items():
        await tx.session.execute(insert(table), made)


async def _public_keys(instance: Instance) -> dict[str, rsa.RSAPublicKey]:
    async with instance.reading() as session:
        rows = await session.execute(select(ActorKey).where(ActorKey.kind == "rsa"))
        return {
            row.key_id: cast(rsa.RSAPublicKey, load_pem_public_key(row.public.encode()))
            for row in rows.scalars()
        }


@contextmanager
def following(
    bench: Bench, kind: str, folder: Path, followers: int, *, workers: int = 0
) -> Iterator[Following]:
    """A small town of its own, served, with `workers` processes more that only work."""
    hosts = [f"p{number:05}.{DOMAIN}" for number in range(followers)]
    smallest = bench.town(kind, bench.smallest)
    place = town.copied(smallest, folder, f"fanout_{followers}", bench.cluster(kind))
    asyncio.run(allow(place, f"*.{DOMAIN}"))
    keys = asyncio.run(_seed(place, hosts))
    elsewhere = Elsewhere(folder)
    product = Product(place.database, place.state, folder, resolve=elsewhere.at([*hosts, SENDER]))
    try:
        product.serve()
        for _ in range(workers):
            product.work()
        product.rest()
        yield Following(product, elsewhere, place, hosts, keys)
    finally:
        product.stop()
        elsewhere.stop()
