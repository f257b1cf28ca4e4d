# SPDX-License-Identifier: Apache-2.0
"""What posts of some kinds say beyond other posts: a table of contents."""

from dataclasses import dataclass, fields
from typing import Any

from federation import events, mentor_posts, polls, practices, replications, resources, reviews
from federation.events import SharedEvent
from federation.practices import SharedPractice
from federation.resources import SharedResource
from federation.vocabulary.posts import Post as WirePost
from server.hub.uses import SaidUse
from server.polls.pages import ShownPoll
from server.practices.reporting import Report
from server.practices.withdrawals import Said
from server.vetting.statements import Statement


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """At most one of these is there.

    `announces`, `use`, `states` and `withdraws` on replies, the others on openers.
    """

    practice: SharedPractice | None = None
    report: Report | None = None
    announces: str | None = None
    resource: SharedResource | None = None
    use: SaidUse | None = None
    states: Statement | None = None
    withdraws: Said | None = None
    event: SharedEvent | None = None
    poll: ShownPoll | None = None
    offers: bool = False

    @property
    def is_more(self) -> bool:
        """Whether it says anything beyond other posts."""
        return any(getattr(self, one.name) for one in fields(Beyond))


def to_members(said: Beyond, url: str) -> dict[str, Any]:
    """The members that a post of another kind than a thread has; `url` is that of its page."""
    if said.practice is not None:
        return practices.to_members(said.practice, url)
    if said.report is not None:
        return replications.to_members(said.report, url)
    if said.resource is not None:
        return resources.to_members(said.resource, url)
    if said.event is not None:
        return events.to_members(said.event, url)
    if said.poll is not None:
        return polls.to_members(said.poll)
    if said.offers:
        return mentor_posts.to_members(url)
    return _in_reply(said)


def _in_reply(said: Beyond) -> dict[str, Any]:
    if said.use is not None:
        return resources.use_to_members(said.use)
    if said.states is not None:
        return reviews.statement_members(said.states)
    if said.withdraws is not None:
        return practices.withdrawal_members(said.withdraws)
    if said.announces is not None:
        return {"@context": replications.NOTE_CONTEXT, "gh:announces": said.announces}
    return {}


def from_members(post: WirePost) -> dict[str, Any]:
    """The fields of `Beyond` that a received post has; Invalid for a record that is none."""
    if post.in_reply_to is not None:
        use = resources.use_from_members(post.raw)
        return {
            "announces": replications.announces_of(post.raw),
            "use": use,
            "states": reviews.statement_of(post.raw),
            "withdraws": practices.withdrawal_of(post.raw),
        }
    if post.type == "Event":
        return {"event": events.from_members(post.raw)}
    if post.type == "Question":
        return {"poll": polls.from_members(post.raw)}
    practice = practices.from_members(post.raw)
    if practice is not None:
        return {"practice": practice}
    report = replications.from_members(post.raw)
    if report is not None:
        return {"report": report}
    resource = resources.from_members(post.raw)
    return {
        "resource": resource,
        "offers": resource is None and mentor_posts.from_members(post.raw),
    }
