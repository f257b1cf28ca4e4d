# SPDX-License-Identifier: Apache-2.0
"""Reports of posts, which go before the stewards of their forum."""

from server.errors import Invalid
from server.moderation import reports
from server.timelines import people
from web.api.calls import Call, Json
from web.api.entities.accounts import moment
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.api.statuses import found

MOST = 10
NO_POSTS = "Choose the posts that something is wrong with: their forum’s stewards look at those."


async def send(call: Call) -> Json:
    """Put posts before the stewards of their forum."""
    given = call.given
    chosen = given.numbers("status_ids")
    if not chosen:
        raise Invalid(message=NO_POSTS)
    if len(chosen) > MOST:
        raise Invalid(message=f"Report at most {MOST} posts at once.")
    posts = [(await found(call, one))[1] for one in chosen]
    comment = given.text("comment")
    async with call.instance.transaction() as tx:
        for status in posts:
            await reports.report(tx, call.member, status.post, comment)
    async with call.instance.reading() as session:
        about = await people.find(session, call.viewer, posts[0].author.id)
    return {
        "id": str(posts[0].post.id),
        "action_taken": False,
        "action_taken_at": None,
        "category": "other",
        "comment": comment,
        "forwarded": True,
        "created_at": moment(call.instance.clock.now()),
        "status_ids": [str(status.post.id) for status in posts],
        "rule_ids": None,
        "target_account": Statuses(call.instance).account(about),
    }


routes = [
    call(
        "POST", "/api/v1/reports", send, "write:reports", "Report", "account_id", "status_ids[]!",
        "comment!",
    ),
]  # fmt: skip
