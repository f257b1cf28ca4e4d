# SPDX-License-Identifier: Apache-2.0
"""What can happen to leave to quote a post."""

from dataclasses import dataclass

from server.facts.base import Fact


@dataclass(frozen=True)
class QuoteAccepted(Fact):
    """A post elsewhere may quote one of ours."""

    quote: int


@dataclass(frozen=True)
class QuoteRefused(Fact):
    """`member` asked in vain; `author` is 0 where nobody here speaks for what is quoted."""

    member: int
    author: int
    request: str
    quoting: str
    quoted: str
    reason: str


@dataclass(frozen=True)
class QuoteTakenBack(Fact):
    """The author of a post of ours no longer allows it to be quoted there."""

    quote: int
