# SPDX-License-Identifier: Apache-2.0
"""Two people's changes to the same fields, put together where they can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clash:
    """A field that both changed, each to something else."""

    mine: str
    theirs: str


@dataclass
class Merge:
    """The fields as they then are, with mine where both changed, and what both changed."""

    values: dict[str, str] = field(default_factory=dict)
    clashes: dict[str, Clash] = field(default_factory=dict)


def merge(base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Merge:
    """What I made of `base`, beside what was made of it meanwhile.

    A field that only one side changed is as that side has it; none is ever left out.
    """
    found = Merge()
    for name in sorted({*base, *mine, *theirs}):
        was, is_mine, is_theirs = (side.get(name, "") for side in (base, mine, theirs))
        if is_mine in (is_theirs, was):
            found.values[name] = is_theirs
        else:
            found.values[name] = is_mine
            if is_theirs != was:
                found.clashes[name] = Clash(is_mine, is_theirs)
    return found
