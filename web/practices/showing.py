# SPDX-License-Identifier: Apache-2.0
"""A practice at the head of its discussion."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server import freshness
from server.hub import citing as citing_resources
from server.library.lists import announced_in, came_of
from server.library.pages import PracticePage, practice_page
from server.posts.pages import ThreadPage
from server.practices import evidence, prose, reporting, terms
from server.practices.record import Record
from server.rows import Kind, PostState
from server.vetting import pages as reviews
from web.beside import Beside
from web.practices import citing
from web.practices.figures import figure, figures
from web.practices.offering import OFFER_STATES
from web.practices.plots import Plot, plot
from web.visits import Visit


async def beside(session: AsyncSession, visit: Visit, page: ThreadPage) -> Beside:
    """The practice of a post that is one; of a discussion the practices that came of it."""
    opener = page.opener.post
    if page.focus is not None:
        return Beside()
    if page_kind(page) == Kind.PRACTICE and opener.state != PostState.DELETED:
        found = await practice_page(session, visit.viewer, page, visit.instance.clock.now())
        me, forum = visit.viewer.member, page.forum.id
        told: dict[str, Any] = {
            "announced": await announced_in(session, visit.viewer, opener.id, opener.uri),
            "reviews": await reviews.beside(session, me, opener.id, opener.author_id, forum),
        }
        links = [link for step in found.record.steps for link in step.resource_id]
        origin = visit.instance.settings.origin
        told["cited"] = await citing_resources.named(session, visit.viewer, links, origin)
        shown = values(visit, page, found) | told
        scopes = freshness.of_library(one.id for one in found.discussions)
        # What is told of and not held might come to be held as a post of any kind.
        known = {Kind.PRACTICE, Kind.REPLICATION}
        is_whole = not found.lineage.told and all(
            one.kind in known for one in told["announced"].values()
        )
        return Beside("practices/practice.html", shown, is_whole, scopes=scopes, until=found.until)
    came = await came_of(session, visit.viewer, opener.id) if page.has_practices else []
    return Beside(values={"practices": came}, scopes=freshness.of_library() if came else ())


def page_kind(page: ThreadPage) -> str:
    """What kind of post opens the thread."""
    kind: str = getattr(page.opener.post, "kind", Kind.THREAD)
    return kind


def values(visit: Visit, page: ThreadPage, found: PracticePage) -> dict[str, Any]:
    """What the template of a practice shows."""
    post = page.opener.post
    home = page.forum.agency or page.forum.peer or visit.instance.settings.agency_name
    cited = citing.Cited(
        record=found.record,
        agency=found.record.agency or found.practice.agency,
        url=post.url,
        version=found.practice.version,
        published=post.published,
        site=home,
    )
    return {
        "practices": [],
        "shown": found,
        "citation": citing.citation(cited),
        "adopters": [
            (adopter, [figure(outcome) for _, outcome in adopter.pairs])
            for adopter in found.adopters
        ],
        "plots": _plots(found, visit.instance.settings.agency_name),
        "FIDELITIES": reporting.FIDELITIES,
        "OFFER_STATES": OFFER_STATES,
        "ours": visit.instance.settings.agency_name,
        "linked_data": citing.linked_data(cited),
        **of_record(found.record, found.parts, found.practice.agency),
    }


def _plots(found: PracticePage, ours: str) -> list[Plot | None]:
    """For each outcome what changed here and elsewhere, as one picture."""
    return [
        plot(
            [
                (found.practice.agency or ours, outcome),
                *(
                    (adopter.agency or ours, theirs)
                    for adopter in found.adopters
                    for original, theirs in adopter.pairs
                    if original == outcome
                ),
            ]
        )
        for outcome in found.record.outcomes
    ]


def of_record(record: Record, parts: Mapping[str, str], agency: str) -> dict[str, Any]:
    """What any page shows of a record: itself, its numbers, the words for its codes.

    `parts` is the HTML of its longer texts, `agency` whose it is where it does not say.
    """
    return {
        "record": record,
        "parts": parts,
        "site_of": agency,
        "figures": figures(record),
        "terms": terms,
        "money": prose.money,
        "steps": list(evidence.Step),
    }
