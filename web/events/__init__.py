# SPDX-License-Identifier: Apache-2.0
"""The pages of the calendar."""

from web.events import browsing, by_mail, feeds, guests, importing, joining, writing, zones

routes = [
    *browsing.routes,
    *zones.routes,
    *feeds.routes,
    *writing.routes,
    *importing.routes,
    *joining.routes,
    *by_mail.routes,
    *guests.routes,
]
