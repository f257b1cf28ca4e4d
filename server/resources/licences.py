# SPDX-License-Identifier: Apache-2.0
"""Licences in plain words: what one can, must and cannot do.

Identifiers are those of SPDX. What is said here helps to choose and is no legal advice; each
licence's own text holds.
"""

from dataclasses import dataclass

PUBLIC, NAMED, SHARED, CODE_NAMED, CODE_SHARED = "public", "named", "shared", "code", "code-shared"
NO_CHANGES, NO_TRADE = "no changes", "no trade"


@dataclass(frozen=True)
class Licence:
    """A licence as people are told of it; `family` says what may be mixed with what."""

    spdx: str
    name: str
    gist: str
    can: tuple[str, ...]
    must: tuple[str, ...]
    cannot: tuple[str, ...]
    family: str
    text: str = ""

    @property
    def url(self) -> str:
        """Where its text is found."""
        return self.text or f"https://spdx.org/licenses/{self.spdx}.html"


_USE = ("Use it for anything, trade included", "Change it and build on it", "Pass it on")
_PASS = ("Use it as it is", "Pass it on")
_CREDIT = ("Name whose it is, with a link to the licence", "Say what you changed")
_NOTICE = ("Keep the notice of copyright and the licence’s text with it",)
_SAME = "Put what you make of it under the same licence"
_BLAME = "Hold the authors liable for it"
_SEAL = "Suggest that the authors endorse what you do"


def _of(spdx: str, name: str, gist: str, family: str, text: str = "") -> Licence:
    """A licence that says what its family says."""
    can = {NO_CHANGES: _PASS, NO_TRADE: ("Use it where no money is made", *_USE[1:])}.get(
        family, _USE
    )
    must = {
        PUBLIC: (),
        NAMED: _CREDIT,
        SHARED: (*_CREDIT, _SAME),
        CODE_NAMED: _NOTICE,
        CODE_SHARED: (*_NOTICE, "Pass on the source text with it", _SAME),
        NO_CHANGES: _CREDIT[:1],
        NO_TRADE: _CREDIT,
    }[family]
    cannot: tuple[str, ...] = (_BLAME,) if family == PUBLIC else (_BLAME, _SEAL)
    if family == NO_CHANGES:
        cannot = ("Pass on a changed version, so others cannot adapt it", *cannot)
    if family == NO_TRADE:
        cannot = ("Use it in anything that makes money, which stops many partners", *cannot)
    return Licence(spdx, name, gist, can, must, cannot, family, text)


LICENCES: dict[str, Licence] = {
    one.spdx: one
    for one in (
        _of("CC-BY-4.0", "Creative Commons Attribution 4.0",
            "Anyone may use and change it, and names you.", NAMED,
            "https://creativecommons.org/licenses/by/4.0/"),
        _of("CC0-1.0", "Creative Commons Zero",
            "Anyone may do anything with it, without naming you.", PUBLIC,
            "https://creativecommons.org/publicdomain/zero/1.0/"),
        _of("CC-BY-SA-4.0", "Creative Commons Attribution-ShareAlike 4.0",
            "Anyone may use and change it, names you, and shares alike.", SHARED,
            "https://creativecommons.org/licenses/by-sa/4.0/"),
        _of("LicenseRef-US-Government-Work", "US government work",
            "In the public domain in the United States.", PUBLIC,
            "https://www.usa.gov/government-copyright"),
        _of("OGL-UK-3.0", "Open Government Licence (UK) 3.0",
            "Anyone may use and change it, and names you.", NAMED,
            "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
        _of("etalab-2.0", "Etalab Open License 2.0",
            "Anyone may use and change it, and names you.", NAMED),
        _of("EUPL-1.2", "European Union Public Licence 1.2",
            "For programs: changes are shared under the same terms.", CODE_SHARED,
            "https://interoperable-europe.ec.europa.eu/collection/eupl"),
        _of("MIT", "MIT License", "For programs: anyone may use and change it.", CODE_NAMED),
        _of("Apache-2.0", "Apache License 2.0",
            "For programs: anyone may use and change it; patents are covered.", CODE_NAMED),
        _of("BSD-3-Clause", "BSD 3-Clause License",
            "For programs: anyone may use and change it.", CODE_NAMED),
        _of("GPL-3.0-or-later", "GNU General Public License 3.0 or later",
            "For programs: changes that are passed on are shared alike.", CODE_SHARED),
        _of("AGPL-3.0-or-later", "GNU Affero General Public License 3.0 or later",
            "For programs: changes are shared alike, for services as well.", CODE_SHARED),
        _of("ODbL-1.0", "Open Database License 1.0",
            "For data: anyone may use it, names you, and shares alike.", SHARED),
        _of("PDDL-1.0", "Public Domain Dedication and License",
            "For data: anyone may do anything with it.", PUBLIC),
        _of("CC-BY-ND-4.0", "Creative Commons Attribution-NoDerivatives 4.0",
            "Anyone may pass it on unchanged. It cannot be adapted.", NO_CHANGES,
            "https://creativecommons.org/licenses/by-nd/4.0/"),
        _of("CC-BY-NC-4.0", "Creative Commons Attribution-NonCommercial 4.0",
            "Only where no money is made, which stops many partners.", NO_TRADE,
            "https://creativecommons.org/licenses/by-nc/4.0/"),
    )
}  # fmt: skip
OFFERED = ("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "LicenseRef-US-Government-Work", "OGL-UK-3.0")
"""Those that the form shows first."""


def label(spdx: str) -> str:
    """What a licence is called; its identifier where we have no words for it."""
    return LICENCES[spdx].name if spdx in LICENCES else spdx


def warning(source: str, own: str) -> str:
    """Why an adaptation under `own` does not go with its source under `source`; "" where it may.

    Of licences that we do not know nothing is said but that they have to be compared.
    """
    theirs, ours = LICENCES.get(source), LICENCES.get(own)
    if not source:
        return "The original names no licence: ask its authors whether you may adapt it."
    if theirs is None:
        return f"We do not know the licence {source}: read whether it lets you adapt the original."
    if theirs.family == NO_CHANGES:
        return (
            f"The original is under {theirs.name}, which does not let others adapt it: ask first."
        )
    if not own or source == own:
        return ""
    if theirs.family in {SHARED, CODE_SHARED}:
        return f"The original asks that adaptations stay under {theirs.name}: choose that licence."
    if theirs.family == NO_TRADE and (ours is None or ours.family != NO_TRADE):
        return f"The original is for uses without money only ({theirs.name}): yours promises more."
    if theirs.family in {NAMED, CODE_NAMED} and ours is not None and ours.family == PUBLIC:
        return f"The original asks to be named ({theirs.name}): yours lets its name be dropped."
    return ""
