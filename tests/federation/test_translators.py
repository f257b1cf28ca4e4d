# SPDX-License-Identifier: Apache-2.0
"""Posts survive the way to the wire and back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from federation import polls
from federation.events import SharedEvent
from federation.polls import CastVote
from federation.posts import (
    SharedPost,
    create,
    from_wire,
    is_vote,
    recipients,
    to_wire,
    update,
)
from federation.practices import SharedPractice
from federation.resources import SharedResource
from federation.vocabulary.posts import parse_post
from federation.vocabulary.reader import read
from federation.vocabulary.terms import PUBLIC
from server import text
from server.events import times
from server.events.details import JOININGS, KINDS, STATUSES, Details, Material, Session
from server.hub.uses import SaidUse
from server.polls.pages import Choice, ShownPoll
from server.practices import notices, record, reporting
from server.practices.withdrawals import Said
from server.resources.terms import VERDICTS
from server.vetting.statements import Statement
from tests.federation import sample_resources
from tests.federation.wire_schema import must_be_a_post, must_be_an_activity
from tests.server.practices import strategies

FORUM = "https://lakeside.example.gov/f/permits"
CLEAN = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
LINE = st.text(CLEAN, min_size=1, max_size=60).map(lambda value: text.clean_line(value, 200))
WORDS = st.text(CLEAN, min_size=1, max_size=200)
TAG = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
NUMBER = st.integers(1, 2**62)
HOST = st.sampled_from(["riverton.example.gov", "lakeside.example.gov", "x.example:8443"])
MOMENT = st.integers(0, 10**12).map(
    lambda ms: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
PERSON = st.tuples(TAG, HOST).map(lambda pair: f"https://{pair[1]}/u/{pair[0]}")
POST = st.tuples(NUMBER, HOST).map(lambda pair: f"https://{pair[1]}/p/{pair[0]}")
MENTION = st.tuples(st.tuples(TAG, HOST).map("@".join), PERSON)

PRACTICE = st.builds(
    lambda document, version, note: SharedPractice(record.parse(document), version, note),
    strategies.practices,
    st.integers(1, 10**6),
    LINE,
)

REPORT = st.builds(
    lambda document: reporting.parse(document),
    strategies.with_all(
        strategies.some(
            ofVersion=st.integers(1, 10**6),
            fidelity=st.sampled_from(list(reporting.FIDELITIES)),
            changed=strategies.words,
        ),
        v=st.just(1),
        of=POST,
        outcomes=st.lists(strategies.outcomes, min_size=1, max_size=3),
    ),
)


SHORT = LINE.filter(bool)
RESOURCE = st.builds(
    lambda uri, source, version, note: SharedResource(
        sample_resources.template(uri, source), version, note
    ),
    POST, POST, st.integers(1, 10**6), LINE,
)  # fmt: skip
USE = st.builds(SaidUse, POST, st.none() | st.integers(1, 10**6), st.sampled_from(list(VERDICTS)))
STATEMENT = st.builds(Statement, of=POST, version=st.integers(1, 99), reviewers=st.integers(0, 99))
WITHDRAWAL = st.builds(
    lambda of, words, at: Said(
        of, replace(notices.check("withdrawn", words, at), forum="its forum")
    ),
    POST, SHORT, MOMENT,
)  # fmt: skip
LINKS = st.lists(st.tuples(LINE.filter(bool), POST), max_size=2)
LINK = st.tuples(HOST, TAG).map(lambda pair: f"https://{pair[0]}/{pair[1]}")


@st.composite
def shared_events(draw: st.DrawFn) -> SharedEvent:
    """Any event as it may leave an instance: a link that is kept for guests does not."""
    zone = draw(st.sampled_from(times.zones()))
    starts = draw(MOMENT).replace(microsecond=0)
    joining = draw(st.sampled_from(list(JOININGS)))
    hidden = joining == "free" and draw(st.booleans())
    online = "" if hidden else draw(st.just("") | LINK)
    details = Details(
        starts=starts,
        ends=starts + timedelta(minutes=draw(st.integers(1, 366 * 24 * 60))),
        zone=zone,
        all_day=draw(st.booleans()),
        kind=draw(st.sampled_from(list(KINDS))),
        status=draw(st.sampled_from(list(STATUSES))),
        place=draw(st.just("") | SHORT),
        online=online,
        is_online=hidden or bool(online),
        is_hidden=hidden,
        joining=joining,
        external=draw(LINK) if joining == "external" else "",
        capacity=draw(st.none() | st.integers(1, 100_000)) if joining == "free" else None,
        access=draw(st.just("") | SHORT),
        sessions=tuple(draw(st.lists(st.builds(Session, SHORT, LINE, LINE), max_size=3))),
        materials=tuple(draw(st.lists(st.builds(Material, SHORT, LINK), max_size=3))),
        recording=draw(st.just("") | LINK),
        series=draw(st.just("") | PERSON.map(lambda uri: f"{uri}#series-7")),
        series_at="2026-12-03T14:00",
    )
    return SharedEvent(details, draw(st.integers(0, 100)) if joining == "free" else None)


@st.composite
def shown_polls(draw: st.DrawFn) -> ShownPoll:
    """Any poll as it may leave an instance: no counts while they are kept back."""
    names = draw(st.lists(LINE.filter(bool), min_size=2, max_size=4, unique=True))
    over, voters = draw(st.booleans()), draw(st.integers(0, 99))
    hidden = not over and voters > 0 and draw(st.booleans())
    votes = [0 if hidden else voters, *[0] * (len(names) - 1)]
    return ShownPoll(
        0, draw(st.booleans()), hidden, draw(MOMENT), voters, tuple(map(Choice, names, votes)),
        over, ours=False,
    )  # fmt: skip


BEYOND_OPENERS = {
    "practice": PRACTICE,
    "event": shared_events(),
    "report": REPORT,
    "resource": RESOURCE,
    "poll": shown_polls(),
    "offers": st.just(value=True),
}
BEYOND_REPLIES = {"announces": POST, "use": USE, "states": STATEMENT, "withdraws": WITHDRAWAL}


@st.composite
def shared_posts(draw: st.DrawFn) -> SharedPost:
    """Any post as it may leave an instance."""
    uri = draw(POST)
    parent = draw(st.none() | POST)
    is_reply = parent is not None
    kinds = BEYOND_REPLIES if is_reply else BEYOND_OPENERS
    kind = draw(st.none() | st.sampled_from(list(kinds)))
    beyond: dict[str, Any] = {} if kind is None else {kind: draw(kinds[kind])}
    return SharedPost(
        uri=uri,
        url=f"{uri}/{draw(TAG)}",
        author=draw(PERSON),
        forum=FORUM,
        title="" if is_reply else draw(LINE.filter(bool)),
        source=draw(WORDS),
        html=draw(WORDS),
        published=draw(MOMENT),
        context=f"{draw(POST)}/context",
        tags=() if is_reply else tuple(draw(st.lists(TAG, max_size=10, unique=True))),
        language=draw(st.sampled_from(["en", "de", "pt-BR"])),
        updated=draw(st.none() | MOMENT),
        parent=parent,
        parent_author=draw(PERSON) if is_reply else None,
        mentions=tuple(draw(st.lists(MENTION, max_size=4))),
        public=draw(st.booleans()),
        locked=draw(st.booleans()),
        likes=draw(st.integers(0, 10**6)),
        links=tuple(draw(LINKS)),
        **beyond,
    )


@given(shared_posts())
def test_what_travels_comes_back_as_it_left(shared: SharedPost) -> None:
    document = read(orjson.dumps(to_wire(shared)))
    back = from_wire(parse_post(document), FORUM)
    # Who wrote the parent is known to whoever holds it; it is not repeated on the wire.
    assert back == replace(shared, parent_author=None)


@given(shared_posts())
def test_every_post_and_its_activities_fit_the_strictest_reader(shared: SharedPost) -> None:
    document = to_wire(shared)
    must_be_a_post(document)
    for activity in (create(shared, document), update(shared, document, 3)):
        must_be_an_activity(activity)
        assert (activity["to"], activity["cc"]) == (document["to"], document["cc"])


@given(POST, PERSON, SHORT, MOMENT)
def test_a_vote_is_told_to_the_author_of_the_poll_alone(
    poll: str, author: str, name: str, at: datetime
) -> None:
    person = "https://riverton.example.gov/u/ana"
    sent = polls.vote(CastVote(f"{person}#vote-1-2", person, author, poll, name, at))
    must_be_an_activity(sent)
    note = parse_post(read(orjson.dumps(sent["object"])))
    assert is_vote(note)
    assert (note.name, note.in_reply_to) == (name, poll)


@given(shared_posts())
def test_posts_are_addressed_as_forums_expect(shared: SharedPost) -> None:
    to, cc = recipients(shared)
    if not shared.public:
        assert (to, cc) == ([f"{FORUM}/followers", FORUM], [])
        assert PUBLIC not in orjson.dumps(to_wire(shared)).decode()
        return
    followers = f"{shared.author}/followers"
    named = {uri for _, uri in shared.mentions} | {shared.parent_author} - {None}
    if shared.parent is None:
        assert to == [PUBLIC, FORUM]
        assert cc[0] == followers
    else:
        assert to[0] == PUBLIC
        assert {FORUM, followers} <= set(cc)
        if shared.parent_author not in {None, shared.author}:
            assert to[1] == shared.parent_author
    assert named - {shared.author} <= {*to, *cc}
