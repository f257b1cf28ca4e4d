# SPDX-License-Identifier: Apache-2.0
"""Lets `python -m web.cli` do what `guildhall` does."""

from web.cli.program import begin

begin()
