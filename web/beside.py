# SPDX-License-Identifier: Apache-2.0
"""What stands beside the discussion of a post, by its kind."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Beside:
    """What a thread's page shows besides its posts, and by which template.

    Such a page may be kept for visitors while nothing changes of its thread or of `scopes`, at
    the longest until `until`; or not at all, unless it `may_be_kept`.
    """

    template: str = "posts/thread.html"
    values: dict[str, Any] = field(default_factory=lambda: {"practices": []})
    may_be_kept: bool = True
    scopes: tuple[int, ...] = ()
    until: datetime | None = None
