# SPDX-License-Identifier: Apache-2.0
"""Posts told as threads, for software that does not show their kind."""

from dataclasses import replace
from html import escape

from federation.posts import SharedPost


def as_thread(shared: SharedPost) -> SharedPost:
    """An event as a thread that begins with when and where it is; any other post as it is."""
    if shared.event is None:
        return shared
    said = shared.event.details.sentence
    words = "The event’s page: agenda, and how to take part"
    link = f'<a href="{escape(shared.url)}">{words}</a>'
    return replace(
        shared,
        event=None,
        html=f"<p><strong>{escape(said, quote=False)}</strong></p><p>{link}</p>{shared.html}",
        source=f"**{said.replace('*', ' ')}**\n\n[{words}]({shared.url})\n\n{shared.source}",
    )
