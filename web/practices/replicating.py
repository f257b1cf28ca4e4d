# SPDX-License-Identifier: Apache-2.0
"""The form that reports what came of a practice at this agency."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server import text
from server.errors import Gone, Invalid, Locked, NotAllowed, NotFound, Refusal, TooFast
from server.library import replicating
from server.library.pages import Read, read
from server.permissions import Permission, Standing, must
from server.posts import reading
from server.practices import prose, reporting, terms
from server.practices.fit import Profile
from server.practices.keeping import library
from server.practices.record import Outcome
from server.practices.record.practice import MOST_OUTCOMES
from server.practices.reporting import Report
from server.practices.typed import number
from web.errors import STATUS
from web.forms import Form, submit_writing
from web.spots import post_id
from web.templates import path_of
from web.visits import Visit, arrive

POINTS = (
    *("baseline.value", "baseline.date", "baseline.n", "baseline.sd", "target.value"),
    *("actual.value", "actual.date", "actual.n", "actual.sd"),
)
SETTING = {
    "level": "setting.level",
    "populationBand": "setting.populationBand",
    "country": "setting.country",
}
MOST_FIELDS = 12 * MOST_OUTCOMES
KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone, NotAllowed)
LATER = {"draft", "autosave"}


@dataclass(frozen=True)
class Asked:
    """A practice that is reported on, and how our agency describes itself."""

    read: Read
    profile: Profile

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """The outcomes that the form asks for."""
        return [outcome for outcome in self.read.record.outcomes if outcome.indicator]

    @property
    def place(self) -> str:
        """Where its draft is kept."""
        return f"report:{self.read.post.id}"

    @property
    def beginning(self) -> dict[str, str]:
        """What the form shows at first: the setting, as our agency describes itself."""
        profile = self.profile
        return {
            "setting.level": profile.level,
            "setting.populationBand": profile.population_band,
            "setting.country": profile.country,
        }


async def form(request: Request) -> Response:
    """The form, with the draft if one was begun."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    asked = await _asked(visit, request)
    async with visit.instance.reading() as session:
        kept = await reading.drafted(session, visit.member, asked.place)
    return _page(visit, asked, _unpacked(kept) or asked.beginning, None)


async def _asked(visit: Visit, request: Request) -> Asked:
    async with visit.instance.reading() as session:
        found = await read(session, visit.viewer, post_id(request))
        kept = await library(session)
    asked = Asked(found, kept.profile)
    if not asked.outcomes:
        raise NotFound
    return asked


def _unpacked(kept: str) -> dict[str, str]:
    """The fields of a draft; none where there is none."""
    try:
        found = json.loads(kept) if kept else {}
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _page(visit: Visit, asked: Asked, typed: Mapping[str, str], error: Refusal | None) -> Response:
    found = asked.read
    return visit.page(
        "practices/replicate.html",
        STATUS.get(type(error), 400) if error else 200,
        post=found.post,
        forum=found.forum,
        agency=found.practice.agency,
        outcomes=asked.outcomes,
        typed=typed,
        faults=error.fields if isinstance(error, Invalid) else {},
        sentence=error.sentence if error else "",
        fidelities=list(reporting.FIDELITIES.items()),
        levels=[("", "Not said"), *terms.LEVELS.items()],
        bands=[("", "Not said"), *terms.BANDS.items()],
        line=prose.outcome_line,
    )


async def report(request: Request) -> Response:
    """Publish a report, or keep it for later."""
    visit, sent = await submit_writing(request, MOST_FIELDS)
    asked = await _asked(visit, request)
    try:
        if visit.viewer.member is None or sent.stale:
            raise NotAllowed("You signed in again meanwhile: press the button once more.")
        if sent["action"] in LATER:
            return await _keep(visit, asked, sent)
        said, places = report_of(sent.values, asked.outcomes, asked.read.post.uri)
        try:
            async with visit.instance.transaction() as tx:
                await replicating.report(tx, visit.member, asked.read.post, said)
                await reading.drop_draft(tx, visit.member, asked.place)
        except Invalid as error:
            raise _at_fields(error, places) from error
    except KEEPS_THE_FORM as error:
        if sent["action"] == "autosave":
            return JSONResponse({}, STATUS.get(type(error), 400))
        return _page(visit, asked, sent.values, error)
    return visit.go(f"{path_of(asked.read.post)}#adopters", "reported")


async def _keep(visit: Visit, asked: Asked, sent: Form) -> Response:
    """Keep what was typed, right or wrong."""
    names = [name for name in sent.values if name not in {"csrf", "action", "base"}]
    typed = {name: sent[name] for name in names if sent[name].strip()}
    stored = json.dumps(typed, ensure_ascii=False)
    if len(stored) > text.MAX_SOURCE:
        raise Invalid({"changed": "This is too long to be kept: shorten it first."})
    async with visit.instance.transaction() as tx:
        await reading.save_draft(
            tx, visit.member, asked.place, title=asked.read.post.title, source=stored, tags=""
        )
    if sent["action"] == "autosave":
        return JSONResponse({"base": {}})
    return visit.go(f"/p/{asked.read.post.id}/replicate", "draft_saved")


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
        "setting": {
            **{name: typed.get(field, "").strip() for name, field in SETTING.items()},
            "country": typed.get(SETTING["country"], "").strip().upper(),
        },
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
