# SPDX-License-Identifier: Apache-2.0
"""Reports of posts, which go before the stewards of their forum."""

from server.errors import Invalid
from server.moderation import reports
from server.timelines import people
from web.api.calls import Call, Json
from web.api.entities.accounts import moment
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.api.statuses import post_of

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
    posts = [await post_of(call, one) for one in chosen]
    comment = given.text("comment")
    async with call.instance.transaction() as tx:
        for post in posts:
            await reports.report(tx, call.member, post, comment)
    async with call.instance.reading() as session:
        about = await people.find(session, call.viewer, posts[0].author_id)
    return {
        "id": str(posts[0].id),
        "action_taken": False,
        "action_taken_at": None,
        "category": "other",
        "comment": comment,
        "forwarded": True,
        "created_at": moment(call.instance.clock.now()),
        "status_ids": [str(post.id) for post in posts],
        "rule_ids": None,
        "target_account": Statuses(call.instance).account(about),
    }


routes = [
    call(
        "POST", "/api/v1/reports", send, "write:reports", "Report", "account_id", "status_ids[]!",
        "comment!",
    ),
]  # fmt: skip
