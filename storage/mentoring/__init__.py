# SPDX-License-Identifier: Apache-2.0
"""Programmes, mentor cards, needs and matches, and what a pair writes down."""

from storage.mentoring.matches import Match, MatchState, Need, NeedState
from storage.mentoring.offers import MentorCard, Programme, ProgrammeSteward, Pull, Reach
from storage.mentoring.pairs import Entry, EntryKind, Pairing, PairState

__all__ = [
    "Entry",
    "EntryKind",
    "Match",
    "MatchState",
    "MentorCard",
    "Need",
    "NeedState",
    "PairState",
    "Pairing",
    "Programme",
    "ProgrammeSteward",
    "Pull",
    "Reach",
]
