# SPDX-License-Identifier: Apache-2.0
"""A town of N posts: people, forums, threads, endorsements, search."""

import asyncio
import hashlib
import json
import random
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import bulk, threads, wording
from bench.cluster import Cluster
from bench.product import settings
from bench.threads import LONG, SHORT, Place
from bench.wording import Wording
from server import text
from server.forums import deeds
from server.forums.deeds import ForumDraft
from server.instance import Instance
from server.keys import NewKey
from server.members import accounts, elsewhere
from server.members.accounts import AccountDraft
from server.members.elsewhere import PersonCard
from server.settings import load
from storage.database import MIGRATIONS
from storage.endorsements import Endorsement
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post, PostTag

FORUM = "permits"
ADMIN = "sam"
READER = "ana"
SAMPLE = 400
CHUNK = 20_000
# The same from a thousand posts on: what is compared is how pages bear more posts.
PEOPLE, FORUMS = 300, 8


@dataclass(frozen=True)
class Town:
    """A filled database and what to ask for in it."""

    database: str
    state: Path
    posts: int
    short: list[int]
    long: list[int]
    objects: list[int]
    words: list[str]
    loaded_in: float = 0.0
    megabytes: float = 0.0


def cache() -> Path:
    """The folder that keeps towns between runs, named after the schema and this loader."""
    digest = hashlib.sha256()
    revisions = sorted((MIGRATIONS / "versions").glob("*.py"))
    for path in [*revisions, *(Path(m.__file__ or "") for m in (bulk, threads, wording))]:
        digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    folder = Path(tempfile.gettempdir()) / f"guildhall-bench-{digest.hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def town(folder: Path, posts: int, cluster: Cluster | None) -> Town:
    """The town of this size, built unless it is there; in `cluster`, or else on SQLite."""
    kind = "postgresql" if cluster else "sqlite"
    home = folder / f"{kind}-{posts}"
    name = f"town_{posts}"
    notes = home / "town.json"
    if not notes.exists():
        shutil.rmtree(home, ignore_errors=True)
        (home / "state").mkdir(parents=True)
        if cluster:
            cluster.drop(name)
            cluster.create(name)
        built = asyncio.run(build(_url(home, name, cluster), home / "state", posts))
        notes.write_text(json.dumps(asdict(built) | {"database": "", "state": ""}))
    known = json.loads(notes.read_text(encoding="utf-8"))
    return Town(**known | {"database": _url(home, name, cluster), "state": home / "state"})


def _url(home: Path, name: str, cluster: Cluster | None) -> str:
    return cluster.url(name) if cluster else f"sqlite:///{home / 'guildhall.db'}"


def copied(source: Town, folder: Path, name: str, cluster: Cluster | None) -> Town:
    """A town of one's own to write into."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    shutil.copytree(source.state, state, dirs_exist_ok=True)
    if cluster:
        cluster.drop(name)
        cluster.create(name, source.database.rpartition("?")[0].rpartition("/")[2])
        return Town(**asdict(source) | {"database": cluster.url(name), "state": state})
    original = Path(source.database.removeprefix("sqlite:///"))
    shutil.copy(original, folder / f"{name}.db")
    return Town(
        **asdict(source) | {"database": f"sqlite:///{folder / f'{name}.db'}", "state": state}
    )


async def opened(place: Town) -> Instance:
    """The town's instance in this process, for the product's own deeds."""
    return await Instance.open(load(**settings(place.database, place.state, {})))


@dataclass(frozen=True)
class _People:
    forums: list[Forum]
    authors: list[Member]


async def build(url: str, state: Path, posts: int) -> Town:
    """Fill an empty database with a town of so many posts."""
    begun = asyncio.get_running_loop().time()
    instance = await Instance.open(load(**settings(url, state, {})))
    try:
        people = await _people(instance, posts)
    finally:
        await instance.close()
    filling = _Filling(posts, people)
    await bulk.fill(url, filling)
    seconds = asyncio.get_running_loop().time() - begun
    size = await bulk.megabytes(url)
    return filling.town(url, state, seconds, size)


async def _people(instance: Instance, posts: int) -> _People:
    """The town's people and forums, by the product's own deeds."""
    pair = await instance.vault.new_pair()
    count = min(PEOPLE, posts)
    async with instance.transaction() as tx:
        made = [await _member(tx, handle, pair) for handle in (ADMIN, READER)]
        made += [await _member(tx, f"member{number}", pair) for number in range(count)]
        made += [await elsewhere.remember(tx, _card(number)) for number in range(count // 2)]
    forums = []
    for number in range(FORUMS):
        handle = FORUM if not number else f"forum{number}"
        draft = ForumDraft(handle, f"Forum {number} of many", "What we learn from each other.")
        async with instance.transaction() as tx:
            forums.append(await deeds.create(tx, made[0], draft, pair))
    return _People(forums, made)


async def _member(tx: Any, handle: str, pair: tuple[NewKey, NewKey]) -> Member:
    email = f"{handle}@riverton.example.gov"
    draft = AccountDraft(handle, email, handle.title(), "", "permit analyst")
    # No password opens these accounts: sessions are given to them.
    return await accounts.create(tx, draft, "!", pair, admin=handle == ADMIN)


def _card(number: int) -> PersonCard:
    host = f"agency{number % 12}.example.gov"
    uri = f"https://{host}/u/person{number}"
    return PersonCard(
        uri=uri,
        handle=f"person{number}",
        peer=host,
        url=uri,
        name=f"Person {number}",
        role_title="clerk",
        agency=f"Agency {number % 12}",
        bio_html="",
        avatar_url=None,
        inbox=f"{uri}/inbox",
        shared_inbox=f"https://{host}/inbox",
    )


class _Filling:
    """The rows of a town, in chunks, each as the product would have written it."""

    def __init__(self, posts: int, people: _People) -> None:
        self._posts = posts
        self._people = people
        self._chance = random.Random(13)
        self._wording = Wording(paragraphs=min(wording.PARAGRAPHS, 3 * posts))
        self._objects: list[int] = []
        self._places = list(threads.places(posts, len(people.forums)))
        self._endorsers = [self._chance.randrange(len(people.authors)) for _ in range(1 << 12)]
        self._endorsed: dict[int, int] = {}
        self._replies: dict[int, int] = {}
        self._bumped: dict[int, datetime] = {}
        for place in self._places:
            self._count(place)

    def _count(self, place: Place) -> None:
        opener = place.thread.opener
        self._bumped[opener] = max(place.moment, self._bumped.get(opener, place.moment))
        if place.parent is not None:
            self._replies[opener] = self._replies.get(opener, 0) + 1
            if place.parent != opener:
                self._replies[place.parent] = self._replies.get(place.parent, 0) + 1
        count = (0, 0, 1, 0, 3)[place.identifier % 5]
        if count:
            self._endorsed[place.identifier] = count

    def chunks(self) -> "Any":
        """Yields {table: rows}, rows as dicts by column."""
        for start in range(0, len(self._places), CHUNK):
            batch = self._places[start : start + CHUNK]
            made = [self._post(place) for place in batch]
            yield {
                Post.__table__: [row for row, _ in made],
                PostTag.__table__: [tag for place in batch for tag in self._tags(place)],
                Endorsement.__table__: [
                    row for place in batch for row in self._endorsements(place)
                ],
                bulk.SEARCH: [found for _, found in made],
            }

    def _post(self, place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
        number, is_thread = place.identifier, place.parent is None
        author = self._people.authors[self._chance.randrange(len(self._people.authors))]
        body = self._wording.body(self._chance.randint(1, 2))
        title = self._wording.title() if is_thread else ""
        origin = self._people.forums[0].uri.partition("/f/")[0]
        uri = f"{origin}/p/{number}"
        slug = text.slug(title) if is_thread else ""
        if not author.is_local:
            uri = f"https://{author.peer}/p/{number}"
        else:
            self._objects.append(number)
        row = {
            "id": number,
            "uri": uri,
            "url": f"{uri}/{slug}" if slug else uri,
            "kind": str(Kind.THREAD if is_thread else Kind.REPLY),
            "forum_id": self._people.forums[place.thread.forum].id,
            "author_id": author.id,
            "thread_id": place.thread.opener,
            "branch_id": place.branch,
            "parent_id": place.parent,
            "context": f"{origin}/p/{number}/context" if is_thread else "",
            "title": title,
            "slug": slug,
            "source": "\n\n".join(paragraph.source for paragraph in body),
            "html": "\n".join(paragraph.html for paragraph in body),
            "published": place.moment,
            "arrived": place.moment,
            "bumped": self._bumped[number] if is_thread else place.moment,
            "reply_count": self._replies.get(number, 0),
            "endorsement_count": self._endorsed.get(number, 0),
        }
        body_words = " ".join(paragraph.indexed for paragraph in body)
        found = {"rowid": number, "title": Wording.indexed(title), "body": body_words}
        return row, found

    def _tags(self, place: Place) -> list[dict[str, Any]]:
        if place.parent is not None:
            return []
        words = self._wording.words[:40]
        chosen = {words[place.identifier % 40], words[place.identifier // 40 % 40]}
        return [{"post_id": place.identifier, "tag": tag} for tag in sorted(chosen)]

    def _endorsements(self, place: Place) -> list[dict[str, Any]]:
        count = self._endorsed.get(place.identifier, 0)
        if not count:
            return []
        first = self._endorsers[place.identifier % len(self._endorsers)]
        people = self._people.authors
        chosen = [people[(first + number) % len(people)] for number in range(count)]
        return [
            {
                "post_id": place.identifier,
                "member_id": member.id,
                "uri": f"{member.uri}#like-{place.identifier}-1",
                "at": place.moment,
            }
            for member in chosen
        ]

    def forums(self) -> list[dict[str, Any]]:
        """The counters of the forums, by id."""
        counted = {
            forum.id: {"threads": 0, "posts": 0, "bumped": None} for forum in self._people.forums
        }
        for place in self._places:
            held: dict[str, Any] = counted[self._people.forums[place.thread.forum].id]
            held["threads"] += place.parent is None
            held["posts"] += 1
            held["bumped"] = place.moment
        return [{"id": key, **held} for key, held in counted.items()]

    def town(self, url: str, state: Path, seconds: float, megabytes: float) -> Town:
        def of(length: int) -> list[int]:
            found = {p.thread.opener for p in self._places if p.thread.replies == length}
            return self._chance.sample(sorted(found), min(SAMPLE, len(found)))

        return Town(
            database=url,
            state=state,
            posts=self._posts,
            short=of(SHORT),
            long=of(LONG),
            objects=self._chance.sample(self._objects, min(SAMPLE, len(self._objects))),
            words=self._wording.words[:200],
            loaded_in=round(seconds, 1),
            megabytes=round(megabytes, 1),
        )
