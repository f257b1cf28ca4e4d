# SPDX-License-Identifier: Apache-2.0
"""The examples of mentoring that FEDERATION.md shows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from federation.mentoring import entries, wire
from federation.mentoring.entries import Between, SharedEntry
from federation.mentoring.wire import Asked, Parties
from server.mentoring import profiles
from server.mentoring.agreements import Heard as PairSaid
from server.mentoring.agreements import Terms
from server.mentoring.asks import Told
from server.mentoring.drafts import EntryDraft
from server.mentoring.profiles import Offered, Skill, Wanted
from storage.mentoring import EntryKind, MentorCard

TERMS = Terms("Ten checks in plain words.", "2026-12-01", "2027-02-28", "Every two weeks", "Video")
NUMBER = 117665003000000005
OFFERED = Offered(
    (Skill("Digital permits", 3),), ("en",), "America/Chicago", 3, ("one-to-one",), ("04",), "",
    "Ask me about forms.",
)  # fmt: skip
TOLD = Told(
    Wanted(("digital permits",), ("en", "es"), "America/New_York", 2),
    "We begin with forms in spring. Would you look over our list of checks?",
)


def examples(mentor: str, mentee: str, at: datetime) -> dict[str, Callable[[], dict[str, Any]]]:
    """A mentor's card, and what goes to and fro when `mentee` asks."""
    card = MentorCard(
        uri=f"{mentor}#mentor-card", person=mentor, handle="marek", name="Marek Nowak",
        role_title="permit manager", is_open=True, record=profiles.pack(OFFERED),
    )  # fmt: skip
    instance = f"{mentee.partition('/u/')[0]}/instance"
    parties = Parties(
        f"{instance}#agreement-{NUMBER}", f"{mentee}#mentoring-offer-{NUMBER}", mentor
    )
    asked = Asked(parties.agreement, card.uri, "one-to-one", TOLD, at + timedelta(days=7))
    between = Between(parties.agreement, mentee, mentor)
    draft = EntryDraft(
        EntryKind.SESSION, "A first look", "- the list of checks", at + timedelta(days=9), 45,
        state="planned",
    )  # fmt: skip
    html = "<ul>\n<li>the list of checks</li>\n</ul>"
    planned = SharedEntry(f"{instance}#entry-{NUMBER + 2}", mentee, 0, draft, html)
    return {
        "mentor-card": lambda: wire.card(card),
        "mentor-asked": lambda: wire.offer(parties, asked),
        "mentor-accepts": lambda: wire.accept(parties, card.uri),
        "mentor-declines": lambda: wire.reject(parties, mentor, "Not this spring."),
        "mentoring-ends": lambda: wire.undo_offer(parties),
        "pair-shares": lambda: entries.entry(between, planned),
        "pair-terms": lambda: entries.told(between, PairSaid("terms", 1, TERMS), NUMBER + 3),
    }
