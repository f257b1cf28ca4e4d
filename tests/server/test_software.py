# SPDX-License-Identifier: Apache-2.0
"""Which software takes which forms of what a forum tells."""

import pytest
from sqlalchemy import select

from server.instance import Instance
from server.software import (
    FORMS,
    SOFTWARE,
    Profile,
    profile_of,
    profile_of_peer,
    reads_mentions,
    reads_refusals,
    takes,
    takes_form,
    takes_people,
)
from storage.log import Form
from storage.peers import Peer

ANNOUNCED = {Form.WRAPPED}
POINTED_TO = {Form.BOOST, Form.AUTHOR}
EVERY_KIND = {Form.WRAPPED, Form.BOOST, Form.AUTHOR}
EXPECTED: dict[str, set[Form]] = {
    **dict.fromkeys(("lemmy", "piefed", "friendica"), ANNOUNCED),
    "guildhall": {Form.WRAPPED, Form.POINTER},
    "mbin": {Form.WRAPPED, Form.ARTICLE},
    "nodebb": {Form.WRAPPED, Form.BOOST, Form.ARTICLE},
    "discourse": {Form.BOOST, Form.AUTHOR, Form.DEED, Form.AUTHOR_ARTICLE},
    **dict.fromkeys(
        (
            "mastodon", "glitch", "hometown", "fedibird", "gotosocial", "pleroma", "akkoma",
            "misskey", "firefish", "calckey", "foundkey", "iceshrimp", "sharkey", "pixelfed",
            "ghost", "wordpress", "takahe", "snac", "mitra", "hollo", "gnusocial",
        ),
        POINTED_TO,
    ),
    "mobilizon": POINTED_TO,
    "gancio": {Form.AUTHOR},
    **dict.fromkeys(
        ("", "peertube", "lotide", "smithereen", "streams", "hubzilla", "bovine"), EVERY_KIND
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_each_kind_of_software_takes_what_it_understands(name: str) -> None:
    profile = profile_of(name)
    assert {form for form in Form if takes(profile, form)} == EXPECTED[name] | {Form.DIRECT}


def test_every_name_in_the_table_is_expected_of_something() -> None:
    unsaid = {name for name in SOFTWARE if name not in EXPECTED}
    same = {"kbin": "mbin", "snac2": "snac", "glitch-soc": "glitch", "glitchsoc": "glitch"}
    family = {"iceshrimp.net", "cherrypick", "catodon"}
    assert unsaid == set(same) | family
    assert all(SOFTWARE[name] == SOFTWARE[other] for name, other in same.items())
    assert all(SOFTWARE[name] == SOFTWARE["misskey"] for name in family)
    assert set(FORMS) == set(Profile)


def test_unknown_software_with_forums_is_told_as_forum_software_is() -> None:
    assert profile_of("lotide", has_groups=True) == Profile.THREADIVERSE
    assert profile_of("", has_groups=True) == Profile.THREADIVERSE
    assert profile_of("mastodon", has_groups=True) == Profile.MICROBLOG
    assert profile_of("discourse", has_groups=True) == Profile.DISCOURSE
    assert profile_of_peer(None) == Profile.UNKNOWN


def test_who_is_told_by_an_authors_server_and_who_reads_a_refusal() -> None:
    assert {one for one in Profile if reads_mentions(one)} == {Profile.MICROBLOG, Profile.UNKNOWN}
    readers = {Profile.GUILDHALL, Profile.MICROBLOG, Profile.UNKNOWN}
    assert {one for one in Profile if reads_refusals(one)} == readers


async def test_the_database_is_asked_for_exactly_those(instance: Instance) -> None:
    async with instance.transaction() as tx:
        for number, name in enumerate(EXPECTED):
            tx.session.add(
                Peer(host=f"{number}.example", origin="", software=name, first_seen=tx.now)
            )
    async with instance.reading() as session:
        for form in (Form.WRAPPED, Form.BOOST, Form.AUTHOR, Form.DEED):
            found = await session.execute(select(Peer.software).where(takes_form(form)))
            assert set(found.scalars()) == {n for n, forms in EXPECTED.items() if form in forms}
        told = set((await session.execute(select(Peer.software).where(takes_people()))).scalars())
    assert set(EXPECTED) - told == {"lemmy", "discourse", "mobilizon", "gancio"}
