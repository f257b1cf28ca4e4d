# SPDX-License-Identifier: Apache-2.0
"""The one way a document is refused by the vocabulary."""


class Malformed(ValueError):
    """The document cannot be read as what it claims to be; ``str()`` is one plain sentence."""
