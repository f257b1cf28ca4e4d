# SPDX-License-Identifier: Apache-2.0
"""No markup acts in the records of practices, resources and mentoring either."""

import copy
import itertools
from collections.abc import Callable, Iterator

from sqlalchemy import select

from federation.mentoring import entries, wire
from federation.mentoring.entries import Between
from federation.vocabulary.errors import Malformed
from server.errors import Invalid
from server.mentoring import asks, cards
from server.practices import record, reporting
from server.resources import record as resources
from storage.mentoring import Match, Pairing, Programme
from tests import makers
from tests.federation import sample_resources
from tests.hostile.commons import Commons, doing
from tests.hostile.copy import words
from tests.hostile.peer import Json, ScriptedPeer, vera
from tests.hostile.test_markup import EVERYTHING, pages
from tests.hostile.test_mentoring import asking, bench_document, opened
from tests.server.mentoring import bench
from tests.server.practices.test_record import PERMITS
from tests.server.test_text_sanitiser import PAYLOADS

WHAT_IT_IS = frozenset({"id", "type", "attributedTo", "purpose", "what"})
SHORT = [payload for payload in PAYLOADS if len(payload) <= 60]


def leaves(document: object) -> Iterator[tuple[Json | list[object], str | int]]:
    """Every place in a document where a text stands that says no more than what it is."""
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in list(items):
            if isinstance(value, str) and key not in WHAT_IT_IS:
                yield document, key
            elif key not in WHAT_IT_IS:
                yield from leaves(value)


def spoilt(document: Json, read: Callable[[Json], object]) -> Json:
    """The document with a payload wherever it is still read with one; fails where that is nowhere.

    The longest that is taken: what is cut off could not act.
    """
    read(document)
    made = copy.deepcopy(document)
    turns, count = itertools.cycle(SHORT), 0
    for holder, key in leaves(made):
        before = holder[key]  # type: ignore[index]
        for payload in (EVERYTHING, *itertools.islice(turns, 2)):
            holder[key] = payload  # type: ignore[index]
            try:
                read(made)
            except (Invalid, Malformed):
                holder[key] = before  # type: ignore[index]
                continue
            count += 1
            break
    assert count > 1
    return made


def records(vic: ScriptedPeer, evil: ScriptedPeer, forum: str) -> list[Json]:
    """A practice with a warning, a resource with its use, and a report, in every text of theirs."""
    practice = spoilt(PERMITS, record.parse)
    advisory = {"kind": "advisory", "content": EVERYTHING[:900]}
    advisory["published"] = "2026-11-23T09:00:00Z"
    uri = f"{vic.origin}/p/2"
    sample = resources.dump(sample_resources.template(uri, f"{vic.origin}/p/1"))
    resource = spoilt(sample, resources.parse)
    report = spoilt(
        {
            "v": 1, "of": f"{vic.origin}/p/1", "ofVersion": 1, "fidelity": "adapted",
            "changed": "x", "outcomes": PERMITS["outcomes"],
        },
        reporting.parse,
    )  # fmt: skip
    version = {"number": 1, "note": EVERYTHING[:200]}
    return [
        words(vic, forum, 1, **{"gh:practice": practice, "gh:version": version},
              **{"gh:advisory": advisory}),
        words(vic, forum, 2, **{"gh:resource": resource, "gh:version": version}),
        words(evil, forum, 3, **{"gh:replication": report}),
    ]  # fmt: skip


async def test_XSS_01_no_record_from_elsewhere_acts(
    gh: Commons, vic: ScriptedPeer, evil: ScriptedPeer
) -> None:
    said = records(vic, evil, gh.forum.uri)
    use = words(
        vic, gh.forum.uri, 4, type="Note", inReplyTo=said[1]["id"], name=None,
        content=EVERYTHING,
        **{"gh:use": {"of": said[1]["id"], "version": 1, "verdict": "changed"}},
    )  # fmt: skip
    for number, one in enumerate([*said, use]):
        peer = vic if one["id"].startswith(vic.origin) else evil
        row = await gh.sent(peer, doing("Create", vera(peer), one, number))
        assert (row.state, row.note) == ("applied", "")
    held = [found.id for one in said if (found := await gh.held(one["id"])) is not None]
    practice, resource, report = held
    paths = [f"/p/{number}" for number in held]
    for path in paths:
        # Nothing would act in a page without them.
        assert "alert(1)" in await gh.page(path), path
    paths += [f"/p/{practice}/{part}" for part in ("history", "print", "replicate")]
    paths += [f"/p/{resource}/{part}" for part in ("history", "use")]
    paths += [f"/practices/compare?p={practice}", "/practices", "/resources", "/f/counters", "/"]
    await pages(gh, *paths, "/search?q=alert", f"/p/{report}/history")


async def test_XSS_01_nothing_that_a_mentor_or_a_mentee_elsewhere_writes_acts(
    gh: Commons, vic: ScriptedPeer
) -> None:
    tom = await opened(gh, vic)
    parties, offer = asking(gh, vic, tom, 1)
    offer["object"] = spoilt(offer["object"], lambda made: wire.asked(offer | {"object": made}))
    assert (await gh.sent(vic, offer)).state == "applied"
    async with gh.instance.reading() as session:
        match = (await session.execute(select(Match))).scalar_one()
        place = (await session.execute(select(Programme))).scalars().first()
    assert place is not None
    card = spoilt(
        {
            "id": f"{vera(vic)}#mentor-card", "attributedTo": vera(vic), "purpose": "offer",
            "gh:mentorCard": bench_document()
            | {"formats": ["one-to-one"], "handle": "vera", "name": "Vera", "roleTitle": "x"}
            | {"about": "x", "open": True},
        },
        lambda made: wire.arrived(made, vic.origin),
    )  # fmt: skip
    ana = await makers.member(gh.instance, "ana")
    async with gh.instance.transaction() as tx:
        assert await cards.hold(tx, vic.host, EVERYTHING[:90], [wire.arrived(card, vic.origin)])
    need = await bench.need(gh.instance, ana, place)
    await pages(gh, f"/mentoring/asks/{match.id}", "/mentoring", "/notifications", who=tom)
    await pages(gh, f"/mentoring/requests/{need.id}", "/mentoring", who=ana)
    async with gh.instance.transaction() as tx:
        await asks.accept(tx, tom, match.id)
    between = Between(parties.agreement, vera(vic), tom.uri)
    for number, kind in enumerate(("message", "session", "goal", "action")):
        made = {
            "id": f"{vic.origin}/instance#entry-{number}", "type": "Note",
            "attributedTo": vera(vic), "content": EVERYTHING,
            "gh:entry": {
                "v": 1, "kind": kind, "revision": 0, "title": "x", "text": "x",
                "starts": "2026-12-03T09:00:00Z", "minutes": 30, "due": "2026-12-09",
            },
        }  # fmt: skip
        spoiled = spoilt(made, lambda one: entries.shared_entry({"object": one}))
        sent = entries.taken_back(between, str(spoiled["id"]))
        sent |= {"id": f"{vera(vic)}#mentoring-entry-{number}-0", "type": "Offer"}
        row = await gh.sent(vic, sent | {"object": spoiled})
        assert (row.state, row.note) == ("applied", "")
    agreement = {
        "id": parties.agreement, "type": "Agreement",
        "gh:pair": {
            "v": 1, "what": "terms", "edition": 1,
            "terms": {"goals": "x", "cadence": "x", "channel": "x"}
            | {"confidentiality": "between-us"},
        },
    }  # fmt: skip
    told = {"id": f"{vera(vic)}#mentoring-pair-7", "type": "Offer", "actor": vera(vic)}
    agreed = spoilt(agreement, lambda one: entries.read_told({"object": one}))
    row = await gh.sent(
        vic, told | {"to": [tom.uri], "context": parties.agreement, "object": agreed}
    )
    assert (row.state, row.note) == ("applied", "")
    async with gh.instance.reading() as session:
        pair = (await session.execute(select(Pairing))).scalar_one()
    await pages(gh, f"/mentoring/pairs/{pair.id}", "/mentoring", "/notifications", who=tom)
