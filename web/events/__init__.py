# SPDX-License-Identifier: Apache-2.0
"""The pages of the calendar."""

from web.events import browsing, feeds, guests, joining, writing

routes = [
    *browsing.routes,
    *feeds.routes,
    *writing.routes,
    *joining.routes,
    *guests.routes,
]
