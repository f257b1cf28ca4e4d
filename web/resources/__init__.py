# SPDX-License-Identifier: Apache-2.0
"""The pages of the resource hub."""

from web.resources import drafts, files, hub, passing

routes = [
    *hub.routes,
    *drafts.routes,
    *files.routes,
    *passing.routes,
]
