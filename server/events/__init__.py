# SPDX-License-Identifier: Apache-2.0
"""Meetings in the calendar: when, where, who comes, what repeats."""
