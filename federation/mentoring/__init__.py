# SPDX-License-Identifier: Apache-2.0
"""Mentoring between agencies: cards are fetched, offers are sent."""
