# SPDX-License-Identifier: Apache-2.0
"""Addresses of pictures elsewhere are ours, and bound to what they show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.keys import Vault
from server.remote_pictures import Pictures

PICTURES = Pictures(Vault(bytes(32)))


def parts(address: str) -> tuple[str, str]:
    mac, encoded = address.removeprefix("/media/remote/").split("/")
    return mac, encoded


@given(st.text(max_size=200))
def test_an_address_reads_back_as_its_url(url: str) -> None:
    assert PICTURES.url(*parts(PICTURES.address(url))) == url


def test_SSRF_13_one_changed_character_makes_an_address_worthless() -> None:
    mac, encoded = parts(PICTURES.address("https://vic.example/a.png"))
    other = "1" if mac[0] != "1" else "2"
    assert PICTURES.url(other + mac[1:], encoded) is None
    _, elsewhere = parts(PICTURES.address("https://evil.example/a.png"))
    assert PICTURES.url(mac, elsewhere) is None


def test_another_instance_makes_other_addresses() -> None:
    others = Pictures(Vault(bytes([1]) * 32))
    assert others.url(*parts(PICTURES.address("https://vic.example/a.png"))) is None


def test_pictures_in_a_post_come_from_our_own_addresses() -> None:
    html = '<p><img src="https://vic.example/a.png?x=1&amp;y=2" alt="A"></p>'
    shown = PICTURES.shown(html)
    assert "vic.example" not in shown
    assert PICTURES.address("https://vic.example/a.png?x=1&y=2") in shown


@pytest.mark.parametrize("html", ["<p>no picture</p>", '<img src="/media/abc" alt="">'])
def test_what_is_ours_or_no_picture_stays_as_it_is(html: str) -> None:
    assert PICTURES.shown(html) == html
