# SPDX-License-Identifier: Apache-2.0
"""The command line of an operator."""

from web.cli.program import begin as main

__all__ = ["main"]
