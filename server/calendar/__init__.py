# SPDX-License-Identifier: Apache-2.0
"""The calendar: publishing events, taking places, reading.

What an event is stands in `server/events`, which knows nothing of what is here.
"""
