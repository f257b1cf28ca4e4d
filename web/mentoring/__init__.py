# SPDX-License-Identifier: Apache-2.0
"""The pages of mentoring, for members of this agency only."""

from web.mentoring import asks, cards, desk, needs, pairs, programmes, room

routes = [
    *room.routes,
    *programmes.routes,
    *desk.routes,
    *cards.routes,
    *needs.routes,
    *asks.routes,
    *pairs.routes,
]
