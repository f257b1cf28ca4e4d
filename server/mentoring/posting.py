# SPDX-License-Identifier: Apache-2.0
"""An offer to mentor, posted in a forum because its owner chose to."""

from server import text
from server.errors import Invalid, NotAllowed
from server.mentoring import languages, profiles
from server.mentoring.terms import LEVELS
from server.permissions import Permission, Standing, must
from server.posts import writing
from server.posts.drafts import LONGEST_TITLE, ThreadDraft
from server.transaction import Transaction
from storage.forums import Forum
from storage.members import Member
from storage.mentoring import OfferPost, offers
from storage.posts import Post


async def post(tx: Transaction, member: Member, forum_id: int) -> Post:
    """Open a thread that says what one's card says; from then on it is a post like any other."""
    must(Standing(member), Permission.TAKE_PART_IN_MENTORING)
    card = await offers.card_of(tx.session, member.id)
    if card is None or card.is_paused:
        raise NotAllowed("Make a mentor card first, and let it be found.")
    forum = await tx.session.get(Forum, forum_id)
    if forum is None:
        raise Invalid({"forum": "Choose the forum to post it in."})
    made = draft(profiles.unpack_offered(card.record))
    posted = await writing.post_thread(tx, member, forum, made)
    tx.session.add(OfferPost(post_id=posted.id))
    return posted


def draft(offered: profiles.Offered) -> ThreadDraft:
    """The thread of a card: skills, languages and time, and no way to write but here."""
    title = f"I offer to mentor: {', '.join(skill.name for skill in offered.skills)}"
    lines = [f"- {skill.name} ({LEVELS[skill.level].lower()})" for skill in offered.skills]
    said = [
        "I can help with:", "\n".join(lines), offered.about,
        f"I have {offered.hours} hours a month ({offered.zone}), and talk in "
        f"{languages.said(offered.languages)}.",
        "Answer here, or find me under *Mentoring*.",
    ]  # fmt: skip
    return ThreadDraft(
        text.clean_line(title, LONGEST_TITLE),
        "\n\n".join(part for part in said if part),
        ("mentoring",),
        offered.languages[0],
    )
