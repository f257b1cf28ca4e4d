# SPDX-License-Identifier: Apache-2.0
"""The one way a signature can be refused."""


class SignatureRefused(Exception):
    """A signature, a proof or a public key that is not accepted.

    `str()` is one plain sentence for the sender; `status` is the HTTP status to answer with:
    400 for what cannot be read, 401 for what can be read and is not believed.
    """

    def __init__(self, sentence: str, status: int = 401) -> None:
        super().__init__(sentence)
        self.status = status


def malformed(sentence: str) -> SignatureRefused:
    """The refusal of something that cannot be read (400)."""
    return SignatureRefused(sentence, 400)
