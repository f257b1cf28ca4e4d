# SPDX-License-Identifier: Apache-2.0
"""What a thread's page shows besides its posts."""

from dataclasses import dataclass, field
from typing import Any

from server.posts.pages import ThreadPage
from server.rows import Kind


@dataclass(frozen=True)
class Beside:
    """What a thread's page shows besides its posts, and by which template.

    Such a page `may_be_kept` unless it shows of other posts what may change without it.
    """

    template: str = "posts/thread.html"
    values: dict[str, Any] = field(default_factory=lambda: {"practices": []})
    may_be_kept: bool = True


def page_kind(page: ThreadPage) -> str:
    """What kind of post opens the thread."""
    kind: str = getattr(page.opener.post, "kind", Kind.THREAD)
    return kind
