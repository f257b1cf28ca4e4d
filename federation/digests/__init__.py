# SPDX-License-Identifier: Apache-2.0
"""The digest of a forum on the wire: served by its home, read by copies."""
