# SPDX-License-Identifier: Apache-2.0
"""A practice in a sentence to cite, and as schema.org data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.practices.change import shown
from server.practices.record import Record


@dataclass(frozen=True)
class Cited:
    """What a citation names."""

    record: Record
    agency: str
    url: str
    version: int
    published: datetime
    site: str


def citation(cited: Cited) -> str:
    """`City of Lakeside (2026). Digital permits. Version 2. Riverton Commons. https://…`"""
    name = cited.record.name.rstrip(".")
    site = "" if cited.site == cited.agency else f" {cited.site}."
    return (
        f"{cited.agency} ({cited.published:%Y}). {name}. Version {cited.version}.{site} {cited.url}"
    )


def linked_data(cited: Cited) -> dict[str, Any]:
    """schema.org HowTo, for search engines; members without a value are left out."""
    record = cited.record
    document = {
        "@context": "https://schema.org",
        "@type": "HowTo",
        "@id": cited.url,
        "url": cited.url,
        "name": record.name,
        "description": record.summary,
        "inLanguage": record.language,
        "datePublished": f"{cited.published:%Y-%m-%d}",
        "version": str(cited.version),
        "author": {"@type": "GovernmentOrganization", "name": cited.agency},
        "license": _licence(record.license),
        "keywords": ", ".join([*record.topics, *record.tags]),
        "isBasedOn": [source.uri for source in record.based_on],
        "estimatedCost": _cost(record),
        "step": [
            {"@type": "HowToStep", "position": number, "name": step.title}
            | ({"text": step.text} if step.text else {})
            for number, step in enumerate(record.steps, 1)
        ],
    }
    return {name: value for name, value in document.items() if value not in ("", [], None)}


def _licence(spdx: str) -> str:
    plain = spdx and " " not in spdx and not spdx.startswith("LicenseRef-")
    return f"https://spdx.org/licenses/{spdx}.html" if plain else spdx


def _cost(record: Record) -> dict[str, str] | None:
    if record.costs.startup is None:
        return None
    return {
        "@type": "MonetaryAmount",
        "currency": record.costs.currency,
        "value": shown(record.costs.startup).replace(",", ""),
    }
