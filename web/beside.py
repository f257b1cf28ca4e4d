# SPDX-License-Identifier: Apache-2.0
"""What stands beside the discussion of a post, by its kind."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Beside:
    """What a thread's page shows besides its posts, and by which template.

    Such a page `may_be_kept` unless it shows of other posts what may change without it.
    """

    template: str = "posts/thread.html"
    values: dict[str, Any] = field(default_factory=lambda: {"practices": []})
    may_be_kept: bool = True
