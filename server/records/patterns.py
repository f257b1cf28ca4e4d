# SPDX-License-Identifier: Apache-2.0
"""Words of a record that have to look like something."""

import re

from server.records.values import Pattern

_WEB = re.compile(r"https?://[^\s<>\"{}|\\^`]+", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LICENCE = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_TAG = re.compile(r"[^\W_][\w-]*")

ADDRESS = Pattern(_WEB, "Give a link that begins with https://.", 2_000)
SLUG = Pattern(_SLUG, "This is not a topic of the list.")
LICENCE = Pattern(_LICENCE, "Give an SPDX licence, such as CC-BY-4.0.", 100)
TAG = Pattern(_TAG, "A tag can have letters, digits, hyphens and underscores only.", 40)
DIGEST = Pattern(re.compile(r"[0-9a-f]{64}"), "This is not a SHA-256.", 64)
