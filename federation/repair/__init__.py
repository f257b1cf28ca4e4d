# SPDX-License-Identifier: Apache-2.0
"""Copies are filled, compared with their homes, and put right."""

from federation.repair.due import Repair

__all__ = ["Repair"]
