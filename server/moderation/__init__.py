# SPDX-License-Identifier: Apache-2.0
"""Keeping a forum healthy: reports, and shutting people out of it."""
