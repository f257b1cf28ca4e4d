# SPDX-License-Identifier: Apache-2.0
"""What reviewers see of a practice whose author is kept from them."""

from dataclasses import replace

from server.practices.record import Record, unpack
from storage.reviews import Review


def masked(record: Record) -> Record:
    """The record without whose it is: agency, partners, contact, credits, sources, links.

    What its texts say of its author stays: only its author can take that out.
    """
    steps = tuple(replace(step, resource_id=(), extra={}) for step in record.steps)
    return replace(
        record,
        agency="",
        partners=(),
        contact="",
        credits=(),
        derived_from=(),
        based_on=(),
        steps=steps,
        extra={},
    )


def shown_record(review: Review) -> Record:
    """The practice as its reviewers see it."""
    record = unpack(review.record)
    return masked(record) if review.masked else record
