# SPDX-License-Identifier: Apache-2.0
"""Mentoring between two agencies: cards that are fetched, offers that are sent."""
