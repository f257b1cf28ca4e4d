# SPDX-License-Identifier: Apache-2.0
"""A commons and its strangers, as the tests of attacks have them."""

from tests.hostile.conftest import (
    canary,
    evil,
    founded,
    gh,
    open_commons,
    peer_keys,
    third,
    vic,
    world,
)

__all__ = ["canary", "evil", "founded", "gh", "open_commons", "peer_keys", "third", "vic", "world"]
