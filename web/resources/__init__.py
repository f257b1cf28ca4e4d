# SPDX-License-Identifier: Apache-2.0
"""The pages of the resource hub."""

from web.resources import arrivals, drafts, files, hub, passing, programs

routes = [
    *hub.routes,
    *drafts.routes,
    *arrivals.routes,
    *files.routes,
    *passing.routes,
    *programs.routes,
]
