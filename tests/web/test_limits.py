# SPDX-License-Identifier: Apache-2.0
"""Token buckets, and the addresses they are kept for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from server.errors import TooFast
from web.limits import Buckets, Limit, address_of
from web.next_page import own_page

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
THREE_A_MINUTE = Limit("three", 3, 60)


def spent(buckets: Buckets, who: str, now: datetime) -> bool:
    try:
        buckets.spend(THREE_A_MINUTE, who, now)
    except TooFast:
        return False
    return True


def test_a_bucket_empties_and_fills_again() -> None:
    buckets = Buckets()
    assert [spent(buckets, "ana", NOW) for _ in range(5)] == [True, True, True, False, False]
    assert spent(buckets, "dee", NOW)
    assert not spent(buckets, "ana", NOW + timedelta(seconds=19))
    assert spent(buckets, "ana", NOW + timedelta(seconds=20))
    assert [spent(buckets, "ana", NOW + timedelta(hours=1)) for _ in range(4)].count(True) == 3


def test_the_refusal_says_how_long_to_wait() -> None:
    buckets = Buckets()
    for _ in range(3):
        buckets.spend(THREE_A_MINUTE, "ana", NOW)
    with pytest.raises(TooFast) as refused:
        buckets.spend(THREE_A_MINUTE, "ana", NOW + timedelta(seconds=5))
    assert refused.value.retry_after == 15


def test_each_limit_is_counted_by_itself() -> None:
    buckets = Buckets()
    for _ in range(3):
        buckets.spend(THREE_A_MINUTE, "ana", NOW)
    buckets.spend(Limit("other", 1, 60), "ana", NOW)


def test_the_number_of_buckets_is_bounded_and_the_used_ones_stay() -> None:
    buckets = Buckets(most=10)
    for _ in range(3):
        buckets.spend(THREE_A_MINUTE, "ana", NOW)
    for number in range(100):
        spent(buckets, f"stranger {number}", NOW)
        assert not spent(buckets, "ana", NOW)
    assert len(buckets) == 10


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    buckets = Buckets()
    for _ in range(3):
        buckets.spend(THREE_A_MINUTE, "ana", NOW)
    assert not spent(buckets, "ana", NOW - timedelta(hours=1))


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_more_is_given_than_the_limit_and_what_has_refilled(waits: list[float]) -> None:
    buckets, now, given_out = Buckets(), NOW, 0
    for wait in waits:
        now += timedelta(seconds=wait)
        given_out += spent(buckets, "ana", now)
    refilled = (now - NOW).total_seconds() * 3 / 60
    assert given_out <= 3 + refilled + 1e-6


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_subscriber_is_one_address(host: str, address: str) -> None:
    assert address_of(Request({"type": "http", "client": (host, 1)})) == address


@pytest.mark.parametrize(
    "path",
    ["/", "/forums", "/f/permits@lakeside.localhost:4102", "/p/1/a-b?after=2#p-3",
     "/search?q=https://a.example//b%20c", "/f/a%C3%A9"],
)  # fmt: skip
def test_pages_of_ours_are_led_to(path: str) -> None:
    assert own_page(path) == path


@given(st.text(st.sampled_from("/\\%2fF5cC.:@?#\t eh"), max_size=12))
def test_ACC_11_no_text_leads_off_this_site(value: str) -> None:
    page = own_page(value, "/home")
    assert page == "/home" or page == value
    assert page.startswith("/")
    assert not page.startswith(("//", "/\\"))
    assert "\t" not in page


@pytest.mark.parametrize("path", ["/sign-in?next=/", "/sign-out", "/invitation/abc", "/first-run"])
def test_signing_in_does_not_lead_back_to_its_own_door(path: str) -> None:
    assert own_page(path) == "/"
