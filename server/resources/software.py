# SPDX-License-Identifier: Apache-2.0
"""What a resource of the kind code says beyond others.

Its members are those of publiccode.yml that a resource has no field for
(https://yml.publiccode.tools): `server/resources/publiccode` reads and writes that file.
"""

import re
from dataclasses import dataclass

from server.records.parts import Part, member
from server.records.patterns import ADDRESS
from server.records.values import Choice, Day, Flag, Items, Line, Pattern

STATUS: dict[str, str] = {
    "concept": "A concept",
    "development": "In development",
    "beta": "Being tried out",
    "stable": "Stable",
    "obsolete": "No longer kept up",
}
MAINTENANCE: dict[str, str] = {
    "internal": "By the agency’s own staff",
    "contract": "Under contract",
    "community": "By a community",
    "none": "By nobody",
}
LANGUAGE = Pattern(
    re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"), "Give a language code, such as en.", 20
)


@dataclass(frozen=True)
class Software(Part):
    """A program: how far it is, what it runs on and needs, who looks after it, who uses it."""

    status: str = member(Choice(("", *STATUS)))
    released: str = member(Day())
    type: str = member(Line(40))
    platforms: tuple[str, ...] = member(Items(Line(60), 20), ())
    based_on: tuple[str, ...] = member(Items(ADDRESS, 5), ())
    depends_on: tuple[str, ...] = member(Items(Line(150), 40), ())
    maintenance: str = member(Choice(("", *MAINTENANCE)))
    contacts: tuple[str, ...] = member(Items(Line(200), 10), ())
    localised: bool = member(Flag(), False)
    languages: tuple[str, ...] = member(Items(LANGUAGE, 60), ())
    used_by: tuple[str, ...] = member(Items(Line(200), 60), ())
    funded_by: tuple[str, ...] = member(Items(Line(200), 20), ())
    organisation: str = member(Line(200))
    organisation_uri: str = member(Line(300))
