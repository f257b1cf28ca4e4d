# SPDX-License-Identifier: Apache-2.0
"""How sharing with each peer fares, and what an admin may do about it."""

from server.traffic.deeds import forget, pause, resume, retry_now
from server.traffic.index import PAGE, Line, PeerList, Show, every_line, line_of, peer_list
from server.traffic.pages import MOST, ParkedEntry, PeerPage, Traffic, peer_page

__all__ = [
    "MOST",
    "PAGE",
    "Line",
    "ParkedEntry",
    "PeerList",
    "PeerPage",
    "Show",
    "Traffic",
    "every_line",
    "forget",
    "line_of",
    "pause",
    "peer_list",
    "peer_page",
    "resume",
    "retry_now",
]
