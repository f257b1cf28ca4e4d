# SPDX-License-Identifier: Apache-2.0
"""Leave to quote a post, as it is asked for, given and shown (FEP-044f)."""
