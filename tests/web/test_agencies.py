# SPDX-License-Identifier: Apache-2.0
"""The list of agencies, however many there are."""

import re

import httpx
from sqlalchemy import insert

from server import peers
from server.instance import Instance
from server.peers import RuleDraft
from storage.members import Member
from storage.peers import Peer


async def test_many_agencies_are_listed_page_by_page_and_nobody_else(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    hosts = [f"n{number:04}.example.gov" for number in range(250)]
    strangers = [f"m{number:04}.example.com" for number in range(700)]
    now = instance.clock.now()
    async with instance.transaction() as tx:
        await tx.session.execute(
            insert(Peer),
            [
                {"host": host, "origin": f"https://{host}", "first_seen": now, "name": ""}
                for host in hosts + strangers
            ],
        )
        await peers.add_rule(tx, admin, RuleDraft("*.example.gov"))
    listed: list[str] = []
    path = "/agencies"
    for _ in range(3):
        page = (await client.get(path)).text
        listed += re.findall(r"<span>(n\d{4}\.example\.gov)", page)
        assert "example.com" not in page
        following = re.search(r'href="(/agencies\?after=[^"]+)"', page)
        path = following[1] if following else ""
    assert listed == hosts
    assert path == ""
