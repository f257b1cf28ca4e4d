# SPDX-License-Identifier: Apache-2.0
"""What the post of a practice says, with what it is warned of at its head."""

from server import text
from server.facts import PracticeWarned
from server.posts import editing
from server.posts.drafts import EditDraft
from server.practices import notices, prose
from server.practices.notices import Notice
from server.practices.record import Credit, Record, unpack
from server.records.editions import tags_of
from server.transaction import Transaction
from storage.members import Member
from storage.posts import PostState, by_uri
from storage.practices import Practice, PracticeWithdrawal

_CUT = "\n\n[…] The whole practice is on its page."


def body_of(record: Record, *told: Notice | None) -> str:
    """What the post of a practice says: its notices, all of it in Markdown, who is thanked."""
    named = " ".join(_handle(credit) for credit in record.credits)
    body = "".join(f"**{notice.sentence}**\n\n" for notice in told if notice is not None)
    body += prose.markdown(record) + (f"\n\nWith thanks to {named}" if named else "")
    if len(body) <= text.MAX_SOURCE:
        return body
    room = text.MAX_SOURCE - len(_CUT)
    return body[:room].rpartition("\n\n")[0] + _CUT


def _handle(credit: Credit) -> str:
    """`@ana@host` from the id of a person of a Guildhall, so that they are told; else nothing."""
    origin, _, name = credit.uri.rpartition("/u/")
    return f"@{name}@{origin.partition('://')[2]}" if origin and name else ""


async def restate(tx: Transaction, fact: PracticeWarned) -> None:
    """Have a practice of ours say what the forum elsewhere says of it, which it stands in."""
    row = await tx.session.get(PracticeWithdrawal, fact.uri)
    if row is None or row.stated == row.active:
        return
    post = await by_uri(tx.session, fact.uri)
    if post is None or post.state not in (PostState.LIVE, PostState.SENT):
        return
    author = await tx.session.get_one(Member, post.author_id)
    if not author.is_local:
        return
    record = unpack((await tx.session.get_one(Practice, post.id)).record)
    row.stated = row.active
    own = await notices.of(tx.session, post.uri)
    by_forum = await notices.of_forum(tx.session, post.uri)
    draft = EditDraft(record.name, body_of(record, by_forum, own), tags_of(record))
    await editing.apply_edit(tx, post, draft)
