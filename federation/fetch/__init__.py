# SPDX-License-Identifier: Apache-2.0
"""The only door outward: guarded fetching and delivery."""

from federation.fetch.answers import Document, Headers, Response, retry_after
from federation.fetch.door import Door, Signer

__all__ = ["Document", "Door", "Headers", "Response", "Signer", "retry_after"]
