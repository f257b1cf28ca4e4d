# SPDX-License-Identifier: Apache-2.0
"""What Mastodon has and we do not: empty to read, refused to write."""

from server.errors import Invalid
from web.api.calls import Call, Json
from web.api.routes import EVERYBODY, call

NOT_OFFERED = "This is not offered here: see the list of calls in the documentation."


async def empty(call: Call) -> Json:
    """A list of what there is none of."""
    return []


async def refused(call: Call) -> Json:
    """Something that cannot be done here."""
    raise Invalid(message=NOT_OFFERED)


# (address, scope, what it would list)
EMPTY = (
    ("/api/v1/announcements", "read", "Announcement"),
    ("/api/v1/conversations", "read:statuses", "Conversation"),
    ("/api/v1/follow_requests", "read:follows", "Account"),
    ("/api/v1/featured_tags", "read:accounts", "Tag"),
    ("/api/v1/featured_tags/suggestions", "read:accounts", "Tag"),
    ("/api/v1/endorsements", "read:accounts", "Account"),
    ("/api/v1/scheduled_statuses", "read:statuses", "ScheduledStatus"),
    ("/api/v1/domain_blocks", "read:blocks", "String"),
    ("/api/v1/suggestions", "read", "Account"),
    ("/api/v2/suggestions", "read", "Suggestion"),
    ("/api/v1/trends", EVERYBODY, "Tag"),
    ("/api/v1/trends/tags", EVERYBODY, "Tag"),
    ("/api/v1/trends/statuses", EVERYBODY, "Status"),
    ("/api/v1/trends/links", EVERYBODY, "TrendsLink"),
    ("/api/v1/directory", EVERYBODY, "Account"),
)
REFUSED = (
    ("POST", "/api/v1/domain_blocks", "write:blocks"),
    ("POST", "/api/v1/follow_requests/{id}/authorize", "write:follows"),
    ("POST", "/api/v1/follow_requests/{id}/reject", "write:follows"),
    ("POST", "/api/v1/featured_tags", "write:accounts"),
    ("POST", "/api/v1/accounts/{id}/note", "write:accounts"),
    ("POST", "/api/v1/accounts/{id}/pin", "write:accounts"),
    ("POST", "/api/v1/accounts/{id}/unpin", "write:accounts"),
    ("POST", "/api/v1/statuses/{id}/translate", "read:statuses"),
)

routes = [
    *(call("GET", path, empty, scope, f"[{of}]") for path, scope, of in EMPTY),
    *(call(method, path, refused, scope, "Empty") for method, path, scope in REFUSED),
]
