# SPDX-License-Identifier: Apache-2.0
"""The form that reports what came of a practice at this agency."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Gone, Invalid, Locked, NotAllowed, NotFound, Refusal, TooFast
from server.library import replicating
from server.library.pages import Read, read
from server.permissions import Permission, Standing, must
from server.practices import prose, reporting
from server.practices.record import Outcome
from server.practices.reporting import Report
from server.practices.typed import number
from web.errors import STATUS
from web.forms import submit_writing
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive

# As many as a form may have fields for.
MOST = 4
POINTS = (
    *("baseline.value", "baseline.date", "baseline.n", "target.value"),
    *("actual.value", "actual.date", "actual.n"),
)
KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone, NotAllowed)


def asked(found: Read) -> Sequence[Outcome]:
    """The outcomes that the form asks for."""
    return [outcome for outcome in found.record.outcomes if outcome.indicator][:MOST]


async def form(request: Request) -> Response:
    """The empty form."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    return _page(visit, await _found(visit, request), {}, None)


async def _found(visit: Visit, request: Request) -> Read:
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
    if not asked(found):
        raise NotFound
    return found


def _page(visit: Visit, found: Read, typed: Mapping[str, str], error: Refusal | None) -> Response:
    return visit.page(
        "practices/replicate.html",
        STATUS.get(type(error), 400) if error else 200,
        post=found.post,
        forum=found.forum,
        agency=found.practice.agency,
        outcomes=asked(found),
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        fidelities=list(reporting.FIDELITIES.items()),
        line=prose.outcome_line,
    )


async def report(request: Request) -> Response:
    """Publish a report."""
    visit, sent = await submit_writing(request)
    found = await _found(visit, request)
    try:
        if visit.viewer.member is None or sent.stale:
            raise NotAllowed("You signed in again meanwhile: press the button once more.")
        said, places = report_of(sent.values, asked(found), found.post.uri)
        try:
            async with visit.instance.transaction() as tx:
                await replicating.report(tx, visit.member, found.post, said)
        except Invalid as error:
            raise _at_fields(error, places) from error
    except KEEPS_THE_FORM as error:
        return _page(visit, found, sent.values, error)
    return visit.go(f"{path_of(found.post)}#adopters", "reported")


def report_of(
    typed: Mapping[str, str], originals: Sequence[Outcome], uri: str
) -> tuple[Report, list[str]]:
    """The report that the fields make, and which of them each outcome's begin with."""
    outcomes, places = [], []
    for at, original in enumerate(originals):
        values = {name: typed.get(f"o{at}.{name}", "").strip() for name in POINTS}
        if not any(values.values()):
            continue
        places.append(f"o{at}")
        made: dict[str, Any] = {
            "indicator": original.indicator,
            "unit": typed.get(f"o{at}.unit", "").strip(),
            "direction": original.direction,
            "statistic": original.statistic,
        }
        for name, value in values.items():
            point, _, part = name.partition(".")
            if value:
                read_as = value if part == "date" else number(value)
                made.setdefault(point, {})[part] = read_as
        outcomes.append(made)
    document = {
        "v": 1,
        "of": uri,
        "fidelity": typed.get("fidelity", ""),
        "changed": typed.get("changed", ""),
        "costs": {
            "startup": number(typed.get("costs.startup", "")),
            "currency": typed.get("costs.currency", "").strip().upper(),
        },
        "outcomes": outcomes,
    }
    try:
        return reporting.parse(document), places
    except Invalid as error:
        raise _at_fields(error, places) from error


def _at_fields(error: Invalid, places: Sequence[str]) -> Invalid:
    """The same refusal, beside the fields of the form."""
    found: dict[str, str] = {}
    for path, words in error.fields.items():
        what, _, rest = path.partition(".")
        at, _, name = rest.partition(".")
        if what == "outcomes" and at.isdecimal() and int(at) < len(places):
            shown = name if name in POINTS else "unit"
            found.setdefault(f"{places[int(at)]}.{shown}", words)
        elif what == "outcomes":
            found.setdefault("o0.baseline.value", words)
        else:
            found.setdefault(path, words)
    return Invalid(found, error.sentence)


routes = [
    Route("/p/{id}/replicate", form),
    Route("/p/{id}/replicate", report, methods=["POST"]),
]
