# SPDX-License-Identifier: Apache-2.0
"""An app that somebody in the town of the browser tests has let in."""

from urllib.parse import urlencode

from server import bookmarks
from server.apps import clients, tokens
from server.apps.clients import AppDraft
from server.apps.tokens import Asked
from server.instance import Instance
from storage.members import Member
from storage.posts import Post

CALLBACK = "https://app.example/callback"


async def let_in(instance: Instance, member: Member, kept: Post) -> str:
    """Let an app in, and keep a post with it; answers where the next consent is asked."""
    draft = AppDraft("Pocket", (CALLBACK,), "read write follow push", "https://app.example")
    async with instance.transaction() as tx:
        app = (await clients.register(tx, draft)).app
        await tokens.consent(tx, member, Asked(app, CALLBACK, ("read",)))
        await tokens.at_the_command_line(tx, member, "read")
        await bookmarks.keep(tx, member, kept)
    asked = {
        "client_id": app.client_id, "redirect_uri": CALLBACK, "response_type": "code",
        "scope": "read write follow push",
    }  # fmt: skip
    return f"/oauth/authorize?{urlencode(asked)}"
