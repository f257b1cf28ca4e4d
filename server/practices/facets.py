# SPDX-License-Identifier: Apache-2.0
"""What a practice is found by in the library."""

from sqlalchemy import delete

from server.practices.record import Record
from server.transaction import Transaction
from storage.practices import PracticeFacet

FACETS = (
    *("tag", "topic", "function", "agency", "population", "country", "level", "cost", "area"),
    *("stage", "evidence", "kind"),
)
"""Those that tell most first: of several, the library looks through what the first one finds."""


def facets_of(record: Record, agency: str, evidence: int) -> set[tuple[str, str]]:
    """(facet, value) of everything that a practice is found by.

    A function is found by its division as well: 04.1 is also 04.
    """
    functions = {code for full in record.functions for code in _with_divisions(full)}
    single = {
        "level": record.setting.level,
        "population": record.setting.population_band,
        "country": record.setting.country,
        "area": record.setting.urban_rural,
        "stage": record.stage,
        "cost": str(record.cost_band or ""),
        "kind": record.kind,
        "evidence": str(evidence),
        "agency": agency[:200],
    }
    found = {(facet, value) for facet, value in single.items() if value}
    found |= {("topic", topic) for topic in record.topics}
    found |= {("function", code) for code in functions}
    return found | {("tag", tag.lower()) for tag in record.tags}


def _with_divisions(code: str) -> list[str]:
    parts = code.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


async def put_facets(tx: Transaction, post_id: int, facets: set[tuple[str, str]]) -> None:
    """Find a practice by these from now on, and by nothing else."""
    await tx.session.execute(delete(PracticeFacet).where(PracticeFacet.post_id == post_id))
    for facet, value in sorted(facets):
        tx.session.add(PracticeFacet(post_id=post_id, facet=facet, value=value))
    await tx.session.flush()
