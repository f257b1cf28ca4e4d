# SPDX-License-Identifier: Apache-2.0
"""Text people write: Markdown to safe HTML and back."""

from server.text.conversion import MAX_SOURCE
from server.text.history import Change, changes, quote
from server.text.lines import clean_line, slug
from server.text.names import clean_tags, hashtags, mentions
from server.text.plain_text import excerpt, plain, wire_summary
from server.text.rendering import render
from server.text.sanitiser import sanitise

__all__ = [
    "MAX_SOURCE",
    "Change",
    "changes",
    "clean_line",
    "clean_tags",
    "excerpt",
    "hashtags",
    "mentions",
    "plain",
    "quote",
    "render",
    "sanitise",
    "slug",
    "wire_summary",
]
