# SPDX-License-Identifier: Apache-2.0
"""The pages of administrators."""

from web.admin import apps, federation, keys, letters, overview, peers, people, record

routes = [
    *overview.routes,
    *federation.routes,
    *peers.routes,
    *people.routes,
    *apps.routes,
    *letters.routes,
    *record.routes,
    *keys.routes,
]
