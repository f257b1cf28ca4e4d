# SPDX-License-Identifier: Apache-2.0
"""What is said when a database cannot be used."""


class DatabaseError(Exception):
    """The database cannot be used; the message is one sentence for the operator."""
