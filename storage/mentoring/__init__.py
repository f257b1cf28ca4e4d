# SPDX-License-Identifier: Apache-2.0
"""Programmes, mentor cards, needs and matches, and what a pair writes down."""

from storage.mentoring.matches import Match, MatchState, Need, NeedState
from storage.mentoring.notices import MentoringNotice
from storage.mentoring.offers import MentorCard, OfferPost, Programme, ProgrammeSteward, Pull, Reach
from storage.mentoring.pairs import Entry, EntryKind, Pairing, PairState

__all__ = [
    "Entry",
    "EntryKind",
    "Match",
    "MatchState",
    "MentorCard",
    "MentoringNotice",
    "Need",
    "NeedState",
    "OfferPost",
    "PairState",
    "Pairing",
    "Programme",
    "ProgrammeSteward",
    "Pull",
    "Reach",
]
