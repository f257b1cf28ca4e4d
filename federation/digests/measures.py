# SPDX-License-Identifier: Apache-2.0
"""The names and measures of a digest on the wire, alike for both sides."""

from datetime import date

DAYS_A_PAGE = 1_000
LINES_A_PAGE = 1_000
LIKES_A_PAGE = 100
MOST_ENDORSERS = 5_000
MOST_EDITS = 1_000_000
DIGEST, DAY, POST = "gh:Digest", "gh:DigestDay", "gh:DigestPost"
FIRST_DAY = date(2000, 1, 1)


def is_day(value: object) -> bool:
    """Whether this is `yyyy-mm-dd`, a day of this calendar since 2000."""
    if not isinstance(value, str) or len(value) != 10:
        return False
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return False
    return found >= FIRST_DAY and value == f"{found:%Y-%m-%d}"
