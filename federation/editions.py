# SPDX-License-Identifier: Apache-2.0
"""What practices and resources on the wire have in common."""

from server import text
from server.errors import Invalid

LONGEST_NOTE = 500
MOST_VERSIONS = 1_000_000


def refused_at(name: str, error: Invalid) -> Invalid:
    """A refusal of a member of ours that names what in it is wrong."""
    where, why = next(iter(error.fields.items()), ("", error.sentence))
    return Invalid(message=f"{name} cannot be read at {where}: {why}")


def version_of(value: object) -> tuple[int, str]:
    """Which version it is; what does not say is in its first."""
    if value is None:
        return 1, ""
    number = value.get("number") if isinstance(value, dict) else None
    note = value.get("note", "") if isinstance(value, dict) else None
    is_whole = isinstance(number, int) and not isinstance(number, bool)
    if not is_whole or not 1 <= int(number or 0) <= MOST_VERSIONS or not isinstance(note, str):
        raise Invalid(message="gh:version has to give a number from 1 on, and a note.")
    return int(number or 0), text.clean_line(note, LONGEST_NOTE)
