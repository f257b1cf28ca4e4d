# SPDX-License-Identifier: Apache-2.0
"""Documents signed before: the same content is given with the proof it has."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import orjson

MOST_HELD = 4_000
LARGEST = 32 * 1024


class Signed:
    """Signed documents by key and content; the least used go beyond MOST_HELD.

    A proof covers every byte of a document, so its content alone says whether the proof still
    holds: whatever changes in a post asks for another. Those over LARGEST bytes are not kept.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, dict[str, Any]] = OrderedDict()

    def get(
        self, key_id: str, document: dict[str, Any], sign: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The document with its proof, made by `sign` if there is none yet; not to be changed."""
        content = orjson.dumps([key_id, document])
        if len(content) > LARGEST:
            return sign()
        name = hashlib.sha256(content).digest()
        held = self._held.get(name)
        if held is not None:
            self._held.move_to_end(name)
            return held
        held = self._held[name] = sign()
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return held
