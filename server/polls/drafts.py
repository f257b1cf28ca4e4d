# SPDX-License-Identifier: Apache-2.0
"""What somebody wants to ask, before it is a poll."""

from collections.abc import Sequence
from dataclasses import dataclass

from server import text
from server.errors import Invalid

FEWEST, MOST = 2, 8
LONGEST = 100
SHORTEST_TIME = 300
LONGEST_TIME = 366 * 86_400


@dataclass(frozen=True)
class PollDraft:
    """What can be chosen, one of it or several, and for how many seconds.

    `hidden` keeps the counts from those who have not voted until it ends.
    """

    options: tuple[str, ...]
    seconds: int
    multiple: bool = False
    hidden: bool = False


def check(
    options: Sequence[str], seconds: int, *, multiple: bool = False, hidden: bool = False
) -> PollDraft:
    """A poll fit to be asked; Invalid with a sentence for each field that is not."""
    tidy = tuple(name for option in options if (name := text.clean_line(option, LONGEST + 1)))
    faults = {}
    if not FEWEST <= len(tidy) <= MOST:
        faults["poll_options"] = f"A poll has from {FEWEST} to {MOST} choices, one on each line."
    elif any(len(one) > LONGEST for one in tidy):
        faults["poll_options"] = f"Keep each choice under {LONGEST} characters."
    elif len({one.casefold() for one in tidy}) < len(tidy):
        faults["poll_options"] = "Two of the choices are the same."
    if not SHORTEST_TIME <= seconds <= LONGEST_TIME:
        faults["poll_lasting"] = "A poll lasts from five minutes to a year."
    if faults:
        raise Invalid(faults)
    return PollDraft(tidy, seconds, multiple, hidden)
