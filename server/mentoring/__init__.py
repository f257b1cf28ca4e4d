# SPDX-License-Identifier: Apache-2.0
"""Peer mentoring: programmes, cards, needs, matches, and what a pair does."""
