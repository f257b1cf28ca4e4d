# SPDX-License-Identifier: Apache-2.0
"""A practice, a resource, an event, and all that others do to them."""

from collections.abc import Awaitable, Callable

from server import endorsements
from server.calendar import writing
from server.hub import files, uses
from server.library import publishing, replicating, warning
from server.posts import editing
from server.posts.drafts import ReplyDraft, ThreadDraft
from server.posts.writing import apply_reply, apply_thread, reply
from server.practices import keeping, reporting
from server.resources import links
from server.transaction import Transaction
from server.vetting import statements
from server.vetting.statements import Statement
from storage.events import Event
from storage.files import FilePreview
from storage.forums import Forum, Visibility
from storage.posts import Kind
from storage.practices import Practice, PracticeThread
from storage.resources import ResourceFile
from storage.reviews import Review, ReviewSeat
from tests import makers
from tests.server.calendar import bench as calendar
from tests.server.hub import bench as hub
from tests.server.library import bench as library
from tests.server.library.test_replicating import OUTCOME
from tests.server.town import Town

Deed = Callable[[Transaction], Awaitable[object]]
Happens = Callable[[], Awaitable[object]]
LINK = {"link": "https://tool.example/x"}
AGAIN = {"link": "https://tool.example/y", "note": "It moved."}
USE = {"verdict": "changed", "words": "With two columns more."}


class Shelf:
    """One of each kind, and all that others do that shows on their pages."""

    def __init__(self, town: Town) -> None:
        self.town = town

    async def fill(self) -> None:
        town, instance = self.town, self.town.instance
        self.inside = await makers.forum(
            instance, town.sam, "inside", visibility=Visibility.INSTANCE
        )
        self.talk = await makers.thread(instance, town.dee, town.forum, "What takes so long?")
        self.practice = await library.published(instance, town.ana, town.forum)
        self.resource = await hub.shared(instance, town.ana, town.forum, said=LINK)
        self.event = await calendar.announced(instance, town.ana, town.forum, capacity="1")
        self.marek = await makers.person_elsewhere(instance)
        self.posts = (self.talk, self.practice, self.resource, self.event)
        said = {"v": 1, "of": self.practice.uri, "outcomes": [OUTCOME]}
        self.told = reporting.parse(said)
        self.paths = [f"/p/{post.id}" for post in self.posts]

    async def reported(self, tx: Transaction) -> None:
        draft = ThreadDraft("Report", reporting.markdown(self.told), kind=Kind.REPLICATION)
        post = await apply_thread(tx, self.marek, self.town.forum, draft)
        await replicating.apply(tx, post, self.told)
        note = await apply_reply(tx, self.marek, ReplyDraft("We did it.", self.practice.id))
        await replicating.announced(tx, note, post.uri)

    async def retold(self, tx: Transaction) -> None:
        note = await apply_reply(tx, self.marek, ReplyDraft("An adaptation.", self.practice.id))
        await replicating.announced(tx, note, "https://elsewhere.example/p/1")

    async def came_of_it(self, tx: Transaction) -> None:
        tx.session.add(PracticeThread(practice_id=self.practice.id, thread_id=self.talk.id))

    async def used_and_taken_back(self, tx: Transaction) -> None:
        said = await uses.say(tx, self.town.sam, self.resource, USE)
        await tx.session.flush()
        await editing.remove(tx, self.town.sam, said)

    async def stated(self, tx: Transaction) -> None:
        draft = ReplyDraft("It was reviewed.", self.practice.id)
        note = await apply_reply(tx, self.town.sam, draft)
        await statements.apply(tx, note, Statement(self.practice.uri, 1, 2, 2), tx.now)

    async def reviewed(self, tx: Transaction) -> None:
        review = Review(
            id=tx.ids.next(), post_id=self.practice.id, forum_id=self.town.forum.id, version=1,
            state="accepted", submitted=tx.now, decided=tx.now,
        )  # fmt: skip
        tx.session.add(review)
        await tx.session.flush()
        for peer in ("lakeside.example.gov", "harbor.example.gov"):
            tx.session.add(
                ReviewSeat(
                    id=tx.ids.next(), review_id=review.id, token=peer, peer=peer, state="given",
                    recommendation="accept", invited=tx.now, due=tx.now,
                )
            )  # fmt: skip

    async def lost(self, tx: Transaction) -> None:
        for _ in range(links.TOLD_AFTER):
            await links.visited(tx, self.resource.id, LINK["link"], "It answered 404.")

    async def previewed(self, tx: Transaction) -> None:
        file = await tx.session.get_one(ResourceFile, (self.resource.id, 1, 0))
        seen = await tx.session.get(FilePreview, file.sha256)
        if seen is not None:
            await tx.session.delete(seen)

    async def older(self, tx: Transaction) -> None:
        held = await tx.session.get_one(Practice, self.practice.id)
        held.reviewed = tx.now.replace(year=tx.now.year - 4)

    async def opened(self, tx: Transaction) -> None:
        forum = await tx.session.get_one(Forum, self.inside.id)
        shut = forum.visibility == Visibility.PUBLIC
        forum.visibility = Visibility.INSTANCE if shut else Visibility.PUBLIC

    def deeds(self) -> list[Deed]:
        """What is done in one transaction each, in whatever order."""
        town, practice, resource, event = self.town, self.practice, self.resource, self.event
        return [
            *(self.reported, self.retold, self.came_of_it, self.used_and_taken_back),
            *(self.stated, self.reviewed, self.lost, self.previewed, self.older),
            *(self.opened, self.opened),
            lambda tx: uses.say(tx, town.dee, resource, USE),
            lambda tx: files.count(tx, resource.id, 1),
            lambda tx: links.visited(tx, resource.id, LINK["link"], ""),
            lambda tx: publishing.confirm(tx, town.ana, practice),
            lambda tx: warning.warn(tx, town.ana, practice, "advisory", "Mind the fees."),
            lambda tx: endorsements.endorse(tx, town.dee, practice),
            lambda tx: endorsements.endorse(tx, town.dee, event),
            lambda tx: reply(tx, town.dee, ReplyDraft("How many came back?", resource.id)),
            lambda tx: reply(tx, town.dee, ReplyDraft("Since when?", self.talk.id)),
            lambda tx: keeping.list_topic(tx, town.sam, "Kerbs and curbs"),
            lambda tx: writing.amend(tx, town.ana, event, place="Room 4"),
        ]  # fmt: skip

    def more(self) -> list[Happens]:
        """What takes several transactions."""
        town, instance = self.town, self.town.instance

        async def a_series() -> None:
            made = [self.event]
            for title in ("The second of three", "The third"):
                made.append(await calendar.announced(instance, town.ana, town.forum, title=title))
            async with instance.transaction() as tx:
                for post in made:
                    (await tx.session.get_one(Event, post.id)).series = "urn:x:series"
            async with instance.transaction() as tx:
                await writing.amend(tx, town.ana, made[1], status="cancelled")

        return [
            a_series,
            lambda: hub.shared(instance, town.dee, town.forum, source=self.resource),
            lambda: hub.shared(instance, town.ana, town.forum, said=AGAIN, revises=self.resource),
            lambda: library.offered(instance, town.dee, town.forum, self.practice),
            lambda: library.adapted_from(instance, town.dee, self.inside, self.practice.uri),
            lambda: calendar.joined(instance, town.dee, self.event),
        ]
