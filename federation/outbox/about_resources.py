# SPDX-License-Identifier: Apache-2.0
"""Telling what was found at the links of our resources."""

from federation.outbox.restating import restate
from federation.outbox.telling import Telling
from server.facts import LinkChanged


async def link_changed(t: Telling, fact: LinkChanged) -> None:
    """Update of a resource of ours."""
    await restate(t, fact.post, f"link-{fact.n}")
