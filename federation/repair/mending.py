# SPDX-License-Identifier: Apache-2.0
"""Putting one post of a copy right, as its home's digest hints."""

from dataclasses import dataclass
from typing import Any

from federation import tombstones
from federation.digests.reading import Line, PostPage
from federation.errors import StatusError, WireError
from federation.handlers.announced import apply
from federation.incoming import Ignored, Incoming
from federation.receive import Receiver
from federation.repair.asking import Asking
from federation.repair.own import OwnWords, read_post
from federation.repair.remains import Places
from federation.vocabulary.activities import Activity, Reference, parse_activity
from federation.vocabulary.errors import Malformed
from federation.wire import Wire
from server import digests
from server.digests import Reason
from server.errors import Refusal
from server.posts import restoring
from storage import digests as storage
from storage import posts
from storage.digests import KnownDifference
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState


class NotNow(Exception):
    """It could not be had now, and may be later; the message says why."""


class OnItsWay(Exception):
    """The home may yet take what we say: neither side is put right before it has answered."""


@dataclass(frozen=True)
class Apart:
    """Why a post differs all the same: a reason, and what was said."""

    reason: Reason
    note: str = ""


class Mending:
    """Fetches and applies through the same doors as what is announced.

    A digest is a hint about what to fetch. What is stored was vouched for by its author; what is
    removed, closed or pinned is what the home says of its own forum.
    """

    def __init__(self, wire: Wire, receiver: Receiver, forum: Forum) -> None:
        self._wire = wire
        self._receiver = receiver
        self._forum = forum
        self.home = Asking(wire, forum.uri)
        self._own = OwnWords(wire, receiver.verifier, forum)
        self._places = Places(wire, receiver, forum, self.home)
        self._more_gone = False

    async def mend(self, line: Line, day: str, *, last: bool) -> bool:
        """Have the copy hold what the home holds, or know why it does not.

        False where what the post answers is not here yet; if this is the `last` time, that is
        then known. Raises NotNow for what can be had later.
        """
        try:
            apart = await self._bring(line, last=last)
        except OnItsWay:
            return True
        except Ignored as reason:
            apart = Apart(Reason.UNMET, str(reason))
        except Refusal as refusal:
            apart = Apart(Reason.REFUSED, refusal.sentence)
        except WireError as error:
            if not error.permanent:
                raise NotNow(str(error)) from error
            apart = Apart(Reason.REFUSED, str(error))
        is_met = apart is None or apart.reason != Reason.UNMET
        if is_met or last:
            await self._settle(line, day, apart or Apart(Reason.CONTENTS))
        return is_met

    async def _settle(self, line: Line, day: str, apart: Apart) -> None:
        """Equal now, or a known difference."""
        async with self._wire.instance.transaction() as tx:
            ours, own_day = await digests.held_line(tx.session, self._forum, line.uri)
            if ours:
                await restoring.no_longer_withheld(tx, line.uri)
            if ours == line.text and own_day == day:
                await digests.agree(tx, self._forum, line.uri)
                await storage.mark(tx.session, self._forum.id, {day})
                return
            reason = apart.reason
            if ours == line.text:
                reason = Reason.DAY
            elif ours and reason not in {Reason.DELETED}:
                reason = Reason.CONTENTS
            known = KnownDifference(
                uri=line.uri, day=day, theirs=line.text, ours=ours, reason=reason, note=apart.note
            )
            await digests.differ(tx, self._forum, known)

    async def _bring(self, line: Line, *, last: bool) -> Apart | None:
        """Do what is to be done for a line; answers why the post may differ all the same."""
        async with self._wire.instance.reading() as session:
            post = await posts.by_uri(session, line.uri)
            gone = await tombstones.stands(session, self._forum.uri, line.uri)
        if post is None:
            if not line.is_deleted and not gone and not last and await self._is_kept_out(line):
                # Counted once the thread that it belongs to is here.
                return Apart(Reason.UNMET)
            return await self._missing(line, gone=gone, last=last)
        if post.forum_id != self._forum.id:
            return Apart(Reason.REFUSED, "It is a post of another forum.")
        if line.is_deleted:
            if post.state != PostState.DELETED:
                await self.decided("Delete", line.uri, await self.home.reason(line.uri))
            return Apart(Reason.DELETED)
        if post.state == PostState.DELETED:
            # What was deleted here is not brought back.
            return Apart(Reason.DELETED, "It was deleted here.")
        await self._alike(post, line, None)
        return None

    async def _missing(self, line: Line, *, gone: bool, last: bool) -> Apart | None:
        """A post that is not held here; the `last` time what it answers may be held as deleted."""
        if line.is_deleted or gone:
            self._more_gone = self._more_gone or line.is_deleted
            async with self._wire.instance.transaction() as tx:
                await tombstones.remember(tx, self._forum.uri, line.uri)
                await restoring.no_longer_withheld(tx, line.uri)
            return Apart(Reason.DELETED)
        page = await self.home.one(line.uri)
        answer = read_post(page.object) if last and page is not None else None
        if answer is not None:
            await self._places.prepare(answer.in_reply_to)
        if not self._wire.urls.is_ours(line.uri):
            await self._apply(self._passed("Create", line.uri, page))
        elif not await self._own.post(line.uri, page):
            return Apart(Reason.OURS, "It was written here and is here no longer.")
        if await self._is_kept_out(line):
            return Apart(Reason.POLICY, "Its author's agency is not on our list.")
        async with self._wire.instance.reading() as session:
            post = await posts.by_uri(session, line.uri)
        if post is not None:
            await self._alike(post, line, page)
        return None

    async def _is_kept_out(self, line: Line) -> bool:
        """Whether our rules keep out what its author's host writes."""
        if self._wire.urls.is_ours(line.uri):
            return False
        return not await self._incoming().is_allowed(line.uri)

    async def _alike(self, post: Post, line: Line, page: PostPage | None) -> None:
        """A post held here: its words, its receipt, closed, pinned, who endorses it."""
        if post.state in {PostState.SENT, PostState.REFUSED}:
            await self._receipt(post)
        ours = await self._line(line.uri)
        if self._wire.urls.is_ours(line.uri) and ours.updated > line.updated:
            page = page or await self.home.one(line.uri)
            if not await self._own.keep_to(post, page, decided=bool(post.reason)):
                raise OnItsWay
        elif line.updated not in {"", ours.updated}:
            page = page or await self.home.one(line.uri)
            if self._wire.urls.is_ours(line.uri):
                await self._own.edit(line.uri, page)
            else:
                await self._apply(self._passed("Update", line.uri, page))
        for mark, on, off in (("locked", "Lock", "Undo"), ("pinned", "Add", "Remove")):
            if (mark in line.marks) != (mark in ours.marks):
                await self.decided(on if mark in line.marks else off, line.uri)
        if line.endorsers != ours.endorsers:
            page = page or await self.home.one(line.uri)
            if page is not None:
                await self._endorsements(post, line, page)

    async def _line(self, uri: str) -> "_Held":
        async with self._wire.instance.reading() as session:
            text, _ = await digests.held_line(session, self._forum, uri)
        _, updated, marks, endorsers = text.split("\t") if text else (uri, "", "", "")
        return _Held(updated, tuple(marks.split(",")), endorsers)

    def _passed(self, kind: str, uri: str, page: PostPage | None) -> Activity | Reference:
        """A post as its author would have sent it; its proof, or its origin, is asked."""
        passed = page.object if page is not None else None
        author = passed.get("attributedTo") if passed is not None else None
        if passed is None or passed.get("id") != uri or not isinstance(author, str):
            author = f"{self._forum.uri}"
            passed_on: object = uri
        else:
            passed_on = passed
        document = {
            "id": f"{author.partition('#')[0]}#digest",
            "type": kind,
            "actor": author,
            "object": passed_on,
        }
        try:
            return parse_activity(document)
        except Malformed:
            return Reference(uri)

    async def decided(self, kind: str, uri: str, reason: str | None = None) -> None:
        """What the home says of its own forum, as it would have announced it."""
        inner: object = uri
        if kind == "Undo":
            inner = {"type": "Lock", "actor": self._forum.uri, "object": uri}
        document: dict[str, Any] = {
            "id": f"{self._forum.uri}#digest",
            "type": kind,
            "actor": self._forum.uri,
            "object": inner,
        }
        if reason is not None:
            document["summary"] = reason
        if kind in {"Add", "Remove"}:
            document["target"] = f"{self._forum.uri}/featured"
        await self._apply(parse_activity(document))

    async def _receipt(self, post: Post) -> None:
        """The home lists what one of us sent it: it was taken."""
        async with self._wire.instance.reading() as session:
            author = await session.get_one(Member, post.author_id)
        receipt = {
            "id": f"{author.uri}#digest",
            "type": "Create",
            "actor": author.uri,
            "object": post.uri,
        }
        await self._apply(parse_activity(receipt))

    async def _endorsements(self, post: Post, line: Line, page: PostPage) -> None:
        """Those missing, each with its proof; then those that the home does not count."""
        for document in await self.home.likes(line.uri, page):
            try:
                activity = parse_activity(document)
            except Malformed:
                continue
            if activity.type != "Like" or getattr(activity.object, "id", "") != line.uri:
                continue
            try:
                await self._like(post, activity)
            except (Ignored, Refusal):
                continue
            except WireError as error:
                if not error.permanent:
                    raise
        named = page.endorsers
        if named is not None and digests.endorsers_hash(named) == line.endorsers:
            async with self._wire.instance.transaction() as tx:
                held = await tx.session.get_one(Post, post.id)
                await restoring.endorsed_by_no_others(tx, held, set(named))

    async def _like(self, post: Post, activity: Activity) -> None:
        if self._wire.urls.is_ours(activity.actor):
            await self._own.endorsement(post, activity)
        else:
            await self._apply(activity)

    async def unlisted(self, uri: str, day: str, line: str) -> bool:
        """A post that the home does not list: removed only where its origin says that it is gone.

        False where the home has it all the same, perhaps on another day.
        """
        if not self._wire.urls.is_ours(uri) and not line.endswith("\tdeleted\t"):
            if await self.home.one(uri) is not None:
                return False
            if await self._is_gone(uri):
                await self.decided("Delete", uri)
        await self.unlisted_for_good(uri, day)
        return True

    async def look_again(self) -> None:
        """More is known to be deleted: what had no place here before may answer that."""
        if not self._more_gone:
            return
        async with self._wire.instance.transaction() as tx:
            days = await storage.forget_differences(tx.session, self._forum.id, [Reason.UNMET])
            await storage.mark(tx.session, self._forum.id, days)

    async def unlisted_for_good(self, uri: str, day: str) -> None:
        """It stays here as it is, and the home has no line of it."""
        async with self._wire.instance.transaction() as tx:
            ours, _ = await digests.held_line(tx.session, self._forum, uri)
            known = KnownDifference(
                uri=uri, day=day, theirs="", ours=ours, reason=Reason.UNLISTED, note=""
            )
            await digests.differ(tx, self._forum, known)

    async def _is_gone(self, uri: str) -> bool:
        """Whether the post's own origin says that there is none."""
        try:
            await self._wire.document(uri)
        except StatusError as error:
            return error.status in {404, 410}
        except WireError:
            return False
        return False

    async def _apply(self, thing: Activity | Reference) -> None:
        await apply(self._incoming(), self._forum, thing)

    def _incoming(self) -> Incoming:
        return Incoming(self._wire, self._receiver.actors, self._receiver.verifier)


@dataclass(frozen=True)
class _Held:
    """Our own line of a post, in parts."""

    updated: str
    marks: tuple[str, ...]
    endorsers: str
