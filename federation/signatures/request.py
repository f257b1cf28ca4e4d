# SPDX-License-Identifier: Apache-2.0
"""An incoming request as a signature sees it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Self

from federation.signatures.errors import malformed

Lines = Collection[tuple[bytes, bytes]]
_LONGEST_HEADER = 8192
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ORIGIN_FORM = re.compile(r"/[\x21\x22\x24-\x7e]*")


# Neither this nor a request is frozen, which would make each four times as slow to build;
# nobody changes one.
@dataclass(slots=True)
class DraftSignature:
    """What a Signature header says; times are kept as written, in seconds since 1970."""

    key_id: str
    algorithm: str | None
    covered: tuple[str, ...]
    signature: bytes
    created: str | None
    expires: str | None


# Requests to one inbox have both in common; a refusal is not kept.
@lru_cache(maxsize=64)
def _must_be_sound(method: str, target: str) -> None:
    if not re.fullmatch(r"[A-Za-z]{1,20}", method):
        raise malformed("The request method cannot be read.")
    if len(target) > _LONGEST_HEADER or not _ORIGIN_FORM.fullmatch(target):
        raise malformed("The request target cannot be read.")


def _looks_plain(whole: str) -> bool:
    """Whether all headers together are short and printable: then so is each."""
    if len(whole) > _LONGEST_HEADER:
        return False
    # The first two are quick, and true of nearly all.
    return (whole.isascii() and whole.isprintable()) or not _UNPRINTABLE.search(whole)


@dataclass
class Request:
    """A request with everything a signature can cover.

    `target` is the path with its query, as received; `host` the value of the Host header;
    `scheme` the one people use to reach us ("https" behind a proxy too); `headers` have
    lower-case names, text decoded as Latin-1 and all duplicates; `body` is None without one.
    """

    method: str
    target: str
    host: str
    scheme: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    # The host it claims to be of, once that was found out.
    claimed: str | None = field(default=None, init=False, repr=False, compare=False)
    # Its Signature header, once that was read.
    draft: DraftSignature | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of_wire(
        cls, method: str, target: str, host: str, scheme: str, headers: Lines, body: bytes | None
    ) -> Self:
        """A request whose headers are bytes as they came, with lower-case names."""
        # No name and no value holds the end of a line: all are decoded at once.
        flat = b"\n".join(chain.from_iterable(headers)).decode("latin-1").split("\n")
        if len(flat) == 2 * len(headers):
            pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
        else:
            pairs = tuple(
                [(name.decode("latin-1"), one.decode("latin-1")) for name, one in headers]
            )
        return cls(method, target, host, scheme, pairs, body)

    def __post_init__(self) -> None:
        headers = self.headers
        one = dict(headers)
        if not "".join(one).islower():
            headers = tuple([(key.lower(), value) for key, value in headers])
            one = dict(headers)
        # Each header by name; where one stands more than once, all of them in order as well.
        self._one = one
        self._all: dict[str, list[str]] = {}
        if len(one) < len(headers):
            for key, value in headers:
                self._all.setdefault(key, []).append(value)
        self._is_plain = _looks_plain(" ".join([value for _, value in headers]))
        # Whether every header can be read and stands once.
        self.is_unambiguous = self._is_plain and not self._all
        # The names of headers that were looked into already.
        self._readable: set[str] = set()

    def _values(self, name: str) -> list[str]:
        if self._all:
            return [value.strip(" \t") for value in self._all.get(name, ())]
        return [self._one[name].strip(" \t")] if name in self._one else []

    def lines(self, name: str) -> list[str]:
        """Every value of a header, in order, without surrounding blanks."""
        if name == "host":
            return [self.host]
        values = self._values(name)
        if not self._is_plain and name not in self._readable:
            if sum(map(len, values)) > _LONGEST_HEADER:
                raise malformed(f"The header {name} is too long.")
            if any(_UNPRINTABLE.search(value) for value in values):
                raise malformed(f"The header {name} holds control characters.")
            self._readable.add(name)
        return values

    def joined(self, name: str) -> str | None:
        """Every value of a header, by commas, as a signature covers it; None without one."""
        if self.is_unambiguous:
            value = self.host if name == "host" else self._one.get(name)
            return value if value is None or name == "host" else value.strip(" \t")
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def single(self, name: str) -> str | None:
        """The value of a header that may stand once only, or None; SignatureRefused if twice."""
        if self.is_unambiguous and name != "host":
            value = self._one.get(name)
            return None if value is None else value.strip(" \t")
        values = self.lines(name)
        if len(values) > 1:
            raise malformed(f"The header {name} stands more than once.")
        return values[0] if values else None

    def must_be_readable(self) -> None:
        """Refuse a method, a target or a Host header that no signature can cover soundly."""
        _must_be_sound(self.method, self.target)
        hosts = self._values("host")
        if hosts and (len(hosts) > 1 or hosts[0] != self.host):
            raise malformed("The header host stands more than once.")
