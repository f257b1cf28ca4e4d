# SPDX-License-Identifier: Apache-2.0
"""A draft signature's times meet the clock."""

from datetime import timedelta

import pytest

from federation.signatures.keys import SigningKey
from federation.signatures.request import Request
from federation.signatures.verify import check
from tests.federation.signatures.material import (
    NOW,
    by_hand,
    claim_of,
    http_date,
    received,
    refusal,
)

_SECONDS = int(NOW.timestamp())
_HOUR = 3600


@pytest.mark.parametrize("minutes", [-50, 0, 50])
def test_SIG_07_an_honest_clock_within_the_window_is_accepted(
    minutes: int, rsa_key: SigningKey
) -> None:
    moved = http_date(NOW + timedelta(minutes=minutes))
    check(claim_of(received(by_hand(rsa_key, values={"date": moved}))), rsa_key.public)


@pytest.mark.parametrize("hours", [-13, -1.1, 1.1, 13])
def test_SIG_07_a_date_outside_the_window_is_refused(hours: float, rsa_key: SigningKey) -> None:
    moved = http_date(NOW + timedelta(hours=hours))
    request = received(by_hand(rsa_key, values={"date": moved}))
    assert refusal(request, rsa_key).status == 401


def test_SIG_07_a_signature_without_any_time_is_refused(rsa_key: SigningKey) -> None:
    request = received(by_hand(rsa_key, "(request-target) host digest"))
    assert refusal(request, rsa_key).status == 401
    headers = by_hand(rsa_key)
    del headers["date"]
    assert refusal(received(headers), rsa_key).status == 401


@pytest.mark.parametrize(
    "date", ["", "yesterday", "2026-03-02T12:00:00Z", "Mon, 31 Feb 2026 12:00:00 GMT"]
)
def test_SIG_07_a_date_that_cannot_be_read_is_refused(date: str, rsa_key: SigningKey) -> None:
    request = received(by_hand(rsa_key, values={"date": date}))
    assert refusal(request, rsa_key).status == 400


_TIMED = "(request-target) host (created) (expires) digest"


def _timed(key: SigningKey, created: str, expires: str) -> Request:
    return received(
        by_hand(
            key,
            _TIMED,
            values={"(created)": created.strip('"'), "(expires)": expires.strip('"')},
            parameters=f"created={created},expires={expires},",
            algorithm="hs2019",
        )
    )


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_hs2019_with_created_and_expires_is_accepted(
    quote: str, kind: str, keys: dict[str, SigningKey]
) -> None:
    created, expires = f"{quote}{_SECONDS}{quote}", f"{quote}{_SECONDS + 60}{quote}"
    claim = claim_of(_timed(keys[kind], created, expires))
    check(claim, keys[kind].public)
    assert claim.algorithm == "hs2019"


@pytest.mark.parametrize(
    ("created", "expires"),
    [
        (_SECONDS, 1000),
        (_SECONDS, _SECONDS - 1),
        (_SECONDS + 365 * 24 * _HOUR, _SECONDS + 366 * 24 * _HOUR),
        (_SECONDS - 2 * _HOUR, _SECONDS + _HOUR),
    ],
)
def test_SIG_08_created_and_expires_are_compared_with_the_clock(
    created: int, expires: int, rsa_key: SigningKey
) -> None:
    assert refusal(_timed(rsa_key, str(created), str(expires)), rsa_key).status == 401


def test_SIG_08_a_stated_expiry_counts_even_when_it_is_not_signed(rsa_key: SigningKey) -> None:
    for parameters in ("expires=1000,", f"created={_SECONDS + 24 * _HOUR},"):
        request = received(by_hand(rsa_key, parameters=parameters))
        assert refusal(request, rsa_key).status == 401
