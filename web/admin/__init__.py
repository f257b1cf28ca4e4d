# SPDX-License-Identifier: Apache-2.0
"""The pages of administrators."""

from web.admin import federation, keys, letters, overview, peers, people, record

routes = [
    *overview.routes,
    *federation.routes,
    *peers.routes,
    *people.routes,
    *letters.routes,
    *record.routes,
    *keys.routes,
]
