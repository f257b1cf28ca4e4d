# SPDX-License-Identifier: Apache-2.0
"""A resource at the head of its discussion."""

from sqlalchemy.ext.asyncio import AsyncSession

from server import freshness
from server.hub.pages import resource_page
from server.posts.pages import ThreadPage
from server.practices.keeping import library
from server.resources import licences, software, terms
from server.rows import Kind, PostState
from web.beside import Beside
from web.visits import Visit


async def beside(session: AsyncSession, visit: Visit, page: ThreadPage) -> Beside | None:
    """The resource of a post that is one; None for every other post."""
    opener = page.opener.post
    kind: str = getattr(opener, "kind", Kind.THREAD)
    if page.focus is not None or kind != Kind.RESOURCE or opener.state == PostState.DELETED:
        return None
    shown = await resource_page(session, visit.viewer, page)
    values = {
        "practices": [],
        "shown": shown,
        "record": shown.record,
        "licence": licences.LICENCES.get(shown.record.license),
        "licences": licences,
        "library": await library(session),
        "terms": terms,
        "software": software,
    }
    return Beside("resources/resource.html", values, scopes=freshness.of_library())
