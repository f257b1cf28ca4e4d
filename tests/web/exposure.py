# SPDX-License-Identifier: Apache-2.0
"""Forums of every visibility, and everybody who might look."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import httpx
from starlette.applications import Starlette
from starlette.types import Message

from federation.signatures.sign import sign_draft
from server import endorsements
from server.forums import deeds
from server.instance import Instance
from server.posts import editing, reading, writing
from server.posts.drafts import EditDraft, Origin, ReplyDraft, ThreadDraft
from server.settings import Federation
from storage.forums import Forum, Visibility
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.server.hub.bench import begun as resource_begun
from tests.server.library.bench import begun
from tests.web.exposed_events import with_a_guest
from tests.web.exposed_mentoring import Meeting, meeting
from tests.web.exposed_peers import CASCADIA, MASTODON, PEER_KEY, STRANGER, know_peers
from tests.web.exposed_practices import tainted, two_versions
from tests.web.exposed_quotes import stamped
from tests.web.exposed_resources import tainted as tainted_resource
from tests.web.exposed_resources import two_editions
from tests.web.exposed_reviews import under_review

LAKESIDE = makers.LAKESIDE
NOWHERE = "nowhere"
ACTIVITY = "application/activity+json"
LOCAL = ("public", "agencies", "instance", "members")
COPIES = ("copypublic", "copyagencies")
OURS = ("ourscopypublic", "ourscopyagencies")
# What nobody who looks may see: a practice that Sam is writing, and the review of one of his.
DRAFT = "draft"
REVIEW = "review"
# Nor what two who meet in mentoring say to each other: Sam and Mia.
PAIR = "pair"
STAMP = "7"
EVERY = frozenset({*LOCAL, *COPIES, *OURS, DRAFT, PAIR, REVIEW})
TAINT = re.compile(r"zq([a-z]+)qz", re.IGNORECASE)


@dataclass
class World:
    """One instance with a forum of each visibility, each with words of its own (`zq…qz`)."""

    instance: Instance
    sam: Member
    ana: Member
    lee: Member
    rita: Member
    marek: Member
    forums: dict[str, Forum] = field(default_factory=dict)
    posts: dict[str, list[Post]] = field(default_factory=dict)
    practices: dict[str, list[Post]] = field(default_factory=dict)
    resources: dict[str, list[Post]] = field(default_factory=dict)
    events: dict[str, list[Post]] = field(default_factory=dict)
    drafts: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    meeting: Meeting | None = None

    def ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The ids of the posts with these words."""
        kinds = (self.posts, self.practices, self.events, self.resources)
        held = [kind.get(key, []) for key in sorted(keys) for kind in kinds]
        return [str(post.id) for posts in held for post in posts]

    def event_ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The ids of the events with these words."""
        return [str(post.id) for key in sorted(keys) for post in self.events.get(key, [])]

    def practice_ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The ids of the practices with these words."""
        return [str(post.id) for key in sorted(keys) for post in self.practices.get(key, [])]

    def resource_ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The ids of the resources with these words."""
        return [str(post.id) for key in sorted(keys) for post in self.resources.get(key, [])]

    def draft_ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The ids of the drafts of practices and resources."""
        return self.drafts if DRAFT in keys else []

    def review_ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The numbers of reviews."""
        return self.reviews if REVIEW in keys else []

    def review_tokens(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The words that invitations and reviewers are called by."""
        return self.tokens if REVIEW in keys else []

    def pair_ids(self, keys: frozenset[str] = EVERY) -> list[str]:
        """The ids of what two who meet have for themselves."""
        return self.meeting.hidden if self.meeting is not None and PAIR in keys else []

    def handles(self, keys: frozenset[str] = EVERY) -> list[str]:
        """Forum names as in an address: `room`, or `room@host` for a copy."""
        found = [self.forums[key] for key in sorted(keys & self.forums.keys())]
        return [f.handle if f.is_local else f"{f.handle}@{f.peer}" for f in found]

    async def write(self, key: str, author: Member) -> list[Post]:
        """A thread and a reply in a forum, endorsed; everything of it tells whose it is."""
        taint = f"zq{key}qz"
        async with self.instance.transaction() as tx:
            draft = ThreadDraft(f"Kerb {taint}", f"kerb {taint} @ana @lee", (taint, "kerb"), "en")
            draft = ThreadDraft(**vars(draft) | {"origin": self._origin(author, taint)})
            opener = await writing.apply_thread(tx, author, self.forums[key], draft)
            answer = ReplyDraft(f"kerb {taint} @ana", opener.id, origin=self._origin(author, taint))
            reply = await writing.apply_reply(tx, author, answer)
            for post in (opener, reply):
                await endorsements.apply_endorsement(tx, self.lee, post, self.forums[key])
        return [opener, reply]

    async def publish(self, key: str, author: Member) -> Post:
        """A practice of two versions in a forum; everything of it tells whose it is."""
        return await two_versions(self.instance, author, self.forums[key], f"zq{key}qz")

    def _origin(self, author: Member, taint: str) -> Origin | None:
        if author.is_local:
            return None
        uri = f"http://{author.peer}/p/{self.instance.ids.next()}"
        now = self.instance.clock.now()
        return Origin(uri, f"{uri}/{taint}", "", now, context=f"{uri}/context")


async def found_world(instance: Instance) -> World:
    """Everything of it, by the real deeds."""
    sam = await makers.member(instance, "sam", admin=True)
    ana, lee = await makers.member(instance, "ana"), await makers.member(instance, "lee")
    rita = await makers.member(instance, "rita", admin=True)
    marek = await makers.person_elsewhere(instance)
    world = World(instance, sam, ana, lee, rita, marek)
    for key in LOCAL:
        world.forums[key] = await makers.forum(
            instance, sam, f"room_{key}", title=f"Room zq{key}qz", description=f"Of zq{key}qz",
            visibility=Visibility(key),
        )  # fmt: skip
    for key in COPIES:
        world.forums[key] = await makers.forum_elsewhere(
            instance, f"room_{key}", title=f"Copy zq{key}qz",
            visibility=Visibility(key.removeprefix("copy")),
        )  # fmt: skip
    async with instance.transaction() as tx:
        await deeds.list_member(tx, sam, world.forums["members"], "lee", listed=True)
    for key in LOCAL + COPIES:
        world.posts[key] = await world.write(key, sam if key in LOCAL else marek)
        if key in LOCAL or instance.settings.federates is not Federation.OFF:
            await makers.follow(instance, lee, world.forums[key])
    for key in LOCAL:
        await _stir(world, key)
        world.practices[key] = [await world.publish(key, sam)]
        shared = await two_editions(instance, sam, world.forums[key], f"zq{key}qz")
        world.resources[key] = [shared]
        event = await with_a_guest(instance, sam, world.forums[key], f"zq{key}qz", sam)
        world.events[key] = [event]
    tom = await makers.member(instance, "tom")
    kim = await makers.member(instance, "kim")
    review, world.tokens = await under_review(
        instance, sam, tom, kim, world.practices["public"][0], f"zq{REVIEW}qz"
    )
    world.reviews = [review]
    number = await begun(instance, sam, world.forums["public"], **tainted(f"zq{DRAFT}qz"))
    half = await resource_begun(instance, sam, said=tainted_resource(f"zq{DRAFT}qz"))
    world.drafts = [str(number), str(half)]
    for key in COPIES:
        opener = world.posts[key][0]
        words = f"zqours{key}qz kerb"
        world.posts[f"ours{key}"] = [await makers.reply(instance, ana, opener, words)]
    await stamped(instance, world.posts["agencies"][0], marek, int(STAMP), MASTODON)
    await know_peers(instance)
    mia = await makers.member(instance, "mia")
    world.meeting = await meeting(instance, sam, mia, marek, f"zq{PAIR}qz")
    return world


async def _stir(world: World, key: str) -> None:
    """A history, a pin and a draft, which have pages of their own."""
    taint = f"zq{key}qz"
    opener = world.posts[key][0]
    async with world.instance.transaction() as tx:
        words = EditDraft(f"Kerb ramps {taint}", f"kerb {taint} again @ana", (taint, "kerb"))
        post = await editing.apply_edit(tx, opener, words)
        post.pinned = True
        await reading.save_draft(
            tx, world.lee, f"reply:{opener.id}", title="", source=f"half {taint}", tags=""
        )


@dataclass(frozen=True)
class Looker:
    """Somebody who looks: with a session, with a signature, or with neither."""

    name: str
    pages: frozenset[str]
    documents: frozenset[str]
    member: str | None = None
    host: str | None = None
    accept: str = "text/html"

    def may_read(self, path: str, response: httpx.Response) -> frozenset[str]:
        """The words that the answer at a path may hold."""
        is_page = response.headers.get("content-type", "").startswith("text/html")
        # An app shows a member what a page shows them, and anybody what a page shows anybody.
        is_page = is_page or path.startswith(("/api/", "/oauth/", "/catalog"))
        if response.headers.get("content-disposition", "").startswith("attach"):
            # A file is given out at one address to both, to each as far as they may see it.
            return self.pages | self.documents
        return self.pages if is_page else self.documents

    @property
    def hidden(self) -> frozenset[str]:
        """The words that no answer may hold."""
        return EVERY - self.pages - self.documents


def lookers(mode: Federation) -> list[Looker]:
    """Everybody, and what they may read while the instance federates in this mode."""
    public = frozenset({"public", "copypublic", "ourscopypublic"})
    here = EVERY - {"members", DRAFT, PAIR, REVIEW}
    passed_on = frozenset({"public", "ourscopypublic"})
    agency = passed_on | {"agencies"}
    nothing: frozenset[str] = frozenset()
    is_off, is_open = mode is Federation.OFF, mode is Federation.OPEN

    def machine(name: str, documents: frozenset[str], host: str | None = None) -> Looker:
        seen = nothing if is_off else documents
        return Looker(name, public - {"ourscopypublic"}, seen, host=host, accept=ACTIVITY)

    anyone = passed_on if is_open else nothing
    return [
        # A post of ours that its home has not confirmed is for our own members only.
        Looker("visitor", public - {"ourscopypublic"}, nothing),
        Looker("member", here, nothing, member="ana"),
        Looker("listed member", EVERY - {DRAFT, PAIR, REVIEW}, nothing, member="lee"),
        Looker("administrator who is not listed", here, nothing, member="rita"),
        machine("unsigned machine", anyone),
        machine("stranger", anyone, STRANGER),
        machine("other software on the list", passed_on, MASTODON),
        machine("agency on the list", agency, CASCADIA),
        machine("home of the copies", agency | {"ourscopyagencies"}, LAKESIDE),
    ]


@dataclass
class Sight:
    """One who looks, at the application."""

    looker: Looker
    client: httpx.AsyncClient
    instance: Instance
    app: Starlette

    async def get(self, path: str) -> httpx.Response:
        """What they are answered; signed when they sign.

        The application is called as a server calls it: the walk is tens of thousands of calls,
        and a client around each would take as long as the answer.
        """
        url = f"{self.instance.settings.origin}{path}"
        headers = {"Accept": self.looker.accept}
        if self.looker.host is not None:
            headers = _signed(url, self.looker.host, self.instance.clock.now())
        answer = await _called(self.app, httpx.URL(url), [*self._own_headers(), *headers.items()])
        if "set-cookie" in answer.headers:
            answer.request = httpx.Request("GET", url)
            self.client.cookies.extract_cookies(answer)
        return answer

    def _own_headers(self) -> list[tuple[str, str]]:
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.client.cookies.jar)
        token = self.client.headers.get("Authorization", "")
        held = {"Cookie": cookies, "Authorization": token}
        return [(name, value) for name, value in held.items() if value]


@cache
def _signed(url: str, host: str, now: datetime) -> dict[str, str]:
    """The headers of a machine that signs: the same at the same moment, and slow to make."""
    return sign_draft(
        method="GET", url=url, body=None, key=PEER_KEY, key_id=f"http://{host}/instance#main-key",
        now=now, extra={"Accept": ACTIVITY},
    )  # fmt: skip


async def _called(app: Starlette, url: httpx.URL, headers: list[tuple[str, str]]) -> httpx.Response:
    """What the application answers to a GET (ASGI 3.0, HTTP)."""
    named = {"host": url.netloc.decode(), **{name.lower(): value for name, value in headers}}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": url.scheme, "path": url.path, "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query, "root_path": "", "client": ("127.0.0.1", 123),
        "server": (url.host, url.port),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
    }  # fmt: skip
    parts: list[Message] = []
    ended = asyncio.Event()
    asks: Iterator[Message] = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def asked() -> Message:
        for message in asks:
            return message
        await ended.wait()
        return {"type": "http.disconnect"}

    async def told(message: Message) -> None:
        parts.append(message)
        if not message.get("more_body") and message["type"] == "http.response.body":
            ended.set()

    await app(scope, asked, told)
    start, *rest = parts
    body = b"".join(part.get("body", b"") for part in rest)
    return httpx.Response(start["status"], headers=start["headers"], content=body)


@asynccontextmanager
async def sights(app: Starlette, world: World, mode: Federation) -> AsyncIterator[list[Sight]]:
    """Everybody with a browser or a client of their own."""
    async with AsyncExitStack() as stack:
        found = []
        for looker in lookers(mode):
            client = await stack.enter_async_context(makers.browser(app))
            if looker.member is not None:
                member = getattr(world, looker.member)
                await makers.sign_in(client, world.instance, member)
                # Their app, which nothing but its own calls looks at.
                client.headers["Authorization"] = (
                    f"Bearer {await makers.token(world.instance, member)}"
                )
            found.append(Sight(looker, client, world.instance, app))
        yield found
