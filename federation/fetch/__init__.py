# SPDX-License-Identifier: Apache-2.0
"""The only door outward: guarded fetching and delivery."""

from federation.fetch.answers import ACTIVITY_JSON, Document, Headers, Response, retry_after
from federation.fetch.door import Door, Signer
from federation.fetch.line import Answer
from federation.fetch.lines import OpenLine

__all__ = [
    "ACTIVITY_JSON",
    "Answer",
    "Document",
    "Door",
    "Headers",
    "OpenLine",
    "Response",
    "Signer",
    "retry_after",
]
