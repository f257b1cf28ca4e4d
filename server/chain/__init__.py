# SPDX-License-Identifier: Apache-2.0
"""The record as a chain, looked over as a whole."""
