# SPDX-License-Identifier: Apache-2.0
"""What a stranger may put where a practice should be."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from federation import past_versions
from federation.posts import from_wire
from federation.vocabulary.posts import parse_post
from server.errors import Invalid
from server.library import warning
from storage.forums import Forum
from storage.posts import Kind, by_uri
from storage.practices import Practice, PracticeVersion
from storage.replications import Announcing
from tests.hostile.commons import Commons, doing
from tests.hostile.copy import collection, copied, held_in, words
from tests.hostile.followers import follow, told
from tests.hostile.peer import Json, ScriptedPeer, vera
from tests.server.library.bench import published
from tests.server.practices import strategies
from tests.server.practices.test_record import PERMITS, changed

WRONG: dict[str, tuple[Any, str]] = {
    "outcomes.0.actual.value": ("12.6", "outcomes.0.actual.value"),
    "outcomes.0.baseline.n": (0, "outcomes.0.baseline.n"),
    "outcomes.0.baseline.value": (2 * 10**15, "too large"),
    "solution": ("word " * 10_000, "under 20,000 characters"),
    "steps": ([{"title": "Step"}] * 100, "50 steps: this has 100"),
    "started": ("2026-02-30", "not in the calendar"),
    "v": (2, "not known here"),
}


class Told:
    """A home that tells of a practice of Vera's, in version after version."""

    def __init__(self, gh: Commons, home: ScriptedPeer, forum: Forum) -> None:
        self.gh, self.home, self.forum = gh, home, forum
        self.count = 0

    def article(self, number: int, record: Any, version: Any = None, **changes: Any) -> Json:
        parts: Json = {"gh:practice": record, **changes}
        if version is not None:
            parts["gh:version"] = version
        return words(self.home, self.forum.uri, number, **parts)

    async def tell(self, kind: str, article: Json) -> tuple[str, str]:
        """Announce it; how that ended, and why."""
        self.count += 1
        activity = self.home.proven(
            doing(kind, vera(self.home), article, f"{kind}-{self.count}"),
            vera(self.home), self.gh.clock.now(),
        )  # fmt: skip
        row = await self.gh.sent(self.home, doing("Announce", self.forum.uri, activity, self.count))
        return row.state, row.note

    async def held(self) -> tuple[Practice, list[int]]:
        """The one practice held, and the versions of it."""
        async with self.gh.instance.reading() as session:
            practice = (await session.execute(select(Practice))).scalar_one()
            versions = select(PracticeVersion.version).order_by(PracticeVersion.version)
            return practice, list((await session.execute(versions)).scalars())


async def test_a_wrong_record_is_refused_by_name_and_nothing_of_it_is_held(
    gh: Commons, vic: ScriptedPeer
) -> None:
    told = Told(gh, vic, await copied(gh, vic))
    for number, (path, (value, named)) in enumerate(WRONG.items(), 1):
        state, reason = await told.tell("Create", told.article(number, changed(path, value)))
        assert state == "refused", path
        assert named in reason, (path, reason)
    for version in (0, -1, "2", 1.5, True, 10**12):
        article = told.article(50, PERMITS, {"number": version, "note": ""})
        assert (await told.tell("Create", article))[0] == "refused"
    assert await held_in(gh, told.forum) == []


async def test_versions_come_once_and_in_any_order(gh: Commons, vic: ScriptedPeer) -> None:
    told = Told(gh, vic, await copied(gh, vic))
    first = told.article(1, PERMITS, updated="2026-11-23T09:00:00Z")
    assert (await told.tell("Create", first))[0] == "applied"

    async def update(version: int, minute: int, value: Any, **changes: Any) -> tuple[str, str]:
        article = told.article(
            1, changed("outcomes.0.actual.value", value), {"number": version, "note": "Counted."},
            updated=f"2026-11-23T09:{minute:02}:00Z", **changes,
        )  # fmt: skip
        return await told.tell("Update", article)

    assert (await update(3, 3, 12))[0] == "applied"
    await update(2, 2, 11)
    assert (await update(4, 4, 3 * 10**15))[0] == "refused"
    bare = words(vic, told.forum.uri, 1, updated="2026-11-23T09:05:00Z", content="<p>Buy!</p>")
    state, reason = await told.tell("Update", bare)
    assert (state, "with its record" in reason) == ("refused", True)
    practice, versions = await told.held()
    assert (practice.version, versions) == (3, [1, 2, 3])
    assert '"value":12}' in practice.record
    [post] = await held_in(gh, told.forum)
    assert post.kind == Kind.PRACTICE
    assert "Buy" not in post.html

    # What was missed between two Updates is asked for, of the author's own server and no other.
    def lists(origin: str, *numbers: int) -> str:
        items: list[object] = [
            {
                "type": "Article", "updated": f"2026-11-23T09:{number:02}:00Z",
                "gh:version": {"number": number, "note": ""}, "gh:practice": PERMITS,
            }
            for number in numbers
        ]  # fmt: skip
        uri = f"{origin}/p/1/versions"
        return vic.put(uri, collection(uri, items)) if origin == vic.origin else uri

    gh.clock.turn(minutes=10)
    strange = lists("https://elsewhere.example.gov")
    assert (await update(6, 6, 13, **{"gh:versions": strange}))[0] == "applied"
    assert (await told.held())[1] == [1, 2, 3, 6]
    listed = lists(vic.origin, 8, 7, 5, 3, 2)
    assert (await update(8, 8, 14, **{"gh:versions": listed}))[0] == "applied"
    await gh.settled()
    practice, versions = await told.held()
    assert (practice.version, versions) == (8, [1, 2, 3, 5, 6, 7, 8])
    assert '"value":14}' in practice.record
    asked = vic.fetched.count("/p/1/versions")
    # What its server does not list either is looked for when the copy is compared.
    lists(vic.origin, 4)
    await past_versions.complete(gh.station, told.forum.id)
    assert (await told.held())[1] == list(range(1, 9))
    await past_versions.complete(gh.station, told.forum.id)
    assert vic.fetched.count("/p/1/versions") == asked + 1


@given(st.data())
def test_hostile_members_are_a_named_refusal_or_the_same_record(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(strategies.practices))
    names = data.draw(st.lists(st.sampled_from(sorted(document)), min_size=1, max_size=2))
    for name in names:
        document[name] = data.draw(strategies.hostile_values)
    raw: Json = {
        "id": "https://state.example.gov/p/1",
        "type": "Article",
        "attributedTo": "https://state.example.gov/u/vera",
        "name": "A practice",
        "gh:practice": document,
    }
    found = None
    refusal = "gh:practice"
    try:
        found = from_wire(parse_post(raw), "https://state.example.gov/f/permits").practice
    except Invalid as refused:
        refusal = refused.sentence
    assert "gh:practice" in refusal
    if found is None:
        return
    for outcome in found.record.outcomes:
        for point in (outcome.baseline, outcome.target, outcome.actual):
            assert point.value is None or abs(point.value) <= 10**15


async def test_followers_of_other_software_get_the_practice_and_the_short_note(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    await gh.allow(evil.host, vic.host)
    await follow(gh, evil, "mastodon")
    practice = await published(gh.instance, gh.admin, gh.forum)
    assert await told(gh, evil) == [("Announce{id}", "counters")]
    shown = (await gh.get(f"/p/{practice.id}", evil)).json()
    assert (shown["type"], shown["name"]) == ("Article", "Digital permits")
    assert shown["summary"] == f"<p>{shown['gh:practice']['summary']}</p>"
    assert shown["attachment"][0]["href"] == shown["url"]

    measured = {**PERMITS["outcomes"][0], "unit": "hours"}
    for number, unit in ((1, "hours"), (2, "days")):
        report = {"v": 1, "of": practice.uri, "outcomes": [{**measured, "unit": unit}]}
        article = words(vic, gh.forum.uri, number, **{"gh:replication": report})
        row = await gh.sent(vic, doing("Create", vera(vic), article, f"report-{number}"))
        assert row.state == ("refused" if unit == "hours" else "applied"), row.note
        assert unit == "days" or "give yours in days too" in row.note
    assert await told(gh, evil) == []
    uri = f"{vic.origin}/p/3"
    short = words(
        vic, gh.forum.uri, 3, type="Note", inReplyTo=practice.uri, context=practice.context,
        content="<p>21 to 12.6 days</p>", **{"gh:announces": f"{vic.origin}/p/2"},
    )  # fmt: skip
    assert (await gh.sent(vic, doing("Create", vera(vic), short, "note"))).state == "applied"
    assert await told(gh, evil) == [("Announce{id}", "counters")]
    async with gh.instance.reading() as session:
        held = await session.get_one(Practice, practice.id)
        assert "Worked at 1 other agency as well" in held.why
        note = await by_uri(session, uri)
        assert note is not None
        assert (await session.get_one(Announcing, note.id)).announces == f"{vic.origin}/p/2"
    async with gh.instance.transaction() as tx:
        await warning.warn(tx, gh.admin, practice, "advisory", "Step 3 is no longer lawful.")
    # The changed practice goes to who fetched it; the short reply is pointed to.
    assert sorted(name for name, _ in await told(gh, evil)) == ["Announce{id}", "Update"]
    shown = (await gh.get(f"/p/{practice.id}", evil)).json()
    assert shown["summary"].startswith("<p>Advisory (")
    assert shown["gh:advisory"]["content"] == "Step 3 is no longer lawful."


@given(st.lists(strategies.hostile_values | st.fixed_dictionaries({
    "type": st.just("Article"),
    "updated": st.sampled_from(["2026-01-01T00:00:00Z", "later", 7]),
    "gh:version": st.fixed_dictionaries({"number": st.integers(-3, 9)}) | strategies.hostile_values,
    "gh:practice": strategies.practices | strategies.hostile_values,
}), max_size=3))  # fmt: skip
def test_earlier_versions_are_read_where_they_can_be_and_left_out_where_not(items: Any) -> None:
    document: Json = {
        "id": "https://state.example.gov/p/1/versions",
        "type": "OrderedCollection",
        "orderedItems": items,
    }
    for past in past_versions.from_wire(document, 5):
        assert 1 <= past.number < 5
        assert past.record.name
