# SPDX-License-Identifier: Apache-2.0
"""The other servers that might look, all with one key."""

from federation.signatures.keys import SigningKey
from server.instance import Instance
from storage.keys import ActorKey
from storage.peers import Peer, PolicyRule, Verdict
from tests.makers import LAKESIDE

CASCADIA = "cascadia.localhost:4103"
MASTODON = "social.localhost:4104"
STRANGER = "stranger.localhost:4105"
PEER_KEY = SigningKey.generate_rsa()


async def know_peers(instance: Instance) -> None:
    """All of them are known here, and all but the stranger listed."""
    now = instance.clock.now()
    hosts = {LAKESIDE: "guildhall", CASCADIA: "guildhall", MASTODON: "mastodon", STRANGER: ""}
    async with instance.transaction() as tx:
        for host, software in hosts.items():
            actor = f"http://{host}/instance"
            public = PEER_KEY.public.pem()
            tx.session.add(
                Peer(host=host, origin=f"http://{host}", software=software, first_seen=now)
            )
            tx.session.add(
                ActorKey(
                    key_id=f"{actor}#main-key", owner=actor, kind="rsa", public=public,
                    created=now, checked=now,
                )
            )  # fmt: skip
            if host != STRANGER:
                bare = host.partition(":")[0]
                rule = PolicyRule(id=tx.ids.next(), pattern=bare, verdict=Verdict.ALLOW, added=now)
                rule.added_by = "test"
                tx.session.add(rule)
