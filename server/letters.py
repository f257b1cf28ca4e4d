# SPDX-License-Identifier: Apache-2.0
"""Letters, written with the deed that causes them."""

from server import text
from server.transaction import Transaction
from storage.letters import Letter


def post(tx: Transaction, recipient: str, subject: str, body: str) -> None:
    """Write a letter; it goes when the transaction has committed.

    Its Message-ID never changes, so that a mail sent twice is recognised.
    """
    identifier = tx.ids.next()
    tx.session.add(
        Letter(
            id=identifier,
            recipient=recipient,
            subject=text.clean_line(subject, 500),
            text=body,
            message_id=f"<{identifier}@{tx.settings.hostname}>",
            created=tx.now,
            next_try=tx.now,
        )
    )
