# SPDX-License-Identifier: Apache-2.0
"""What can happen where a forum is kept healthy."""

from dataclasses import dataclass

from server.facts.base import Fact


@dataclass(frozen=True)
class ShutOut(Fact):
    """Somebody is shut out of a forum, or its home is asked to; `by` is 0 where it is not known.

    `uri` is the Block that says so.
    """

    forum: int
    member: int
    by: int
    uri: str
    reason: str


@dataclass(frozen=True)
class LetIn(Fact):
    """Somebody may take part in a forum again; `uri` is the Block that is taken back."""

    forum: int
    member: int
    by: int
    uri: str


@dataclass(frozen=True)
class PostReported(Fact):
    """A member of ours reports a post to its forum's home and its author's server."""

    report: int
    member: int
