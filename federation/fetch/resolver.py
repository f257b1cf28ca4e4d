# SPDX-License-Identifier: Apache-2.0
"""Names looked up and sockets opened under guard."""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from federation.errors import Forbidden
from federation.fetch.addresses import may_connect

# Exact host -> (IP address, port or None for the URL's own).
Named = Mapping[str, tuple[str, int | None]]
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]

_DNS_THREADS = 16
_DNS_SECONDS = 60


class ForbiddenAddress(OSError):
    """A connection about to be opened to a forbidden address.

    An OSError because the connector knows what to do with these while it tries several addresses.
    """


class SystemResolver(AbstractResolver):
    """The system's own look-up, in threads of its own.

    A peer's slow name servers then hold up other look-ups at worst, never the threads that sign.
    """

    def __init__(self) -> None:
        """Start no thread before the first look-up."""
        self._threads = ThreadPoolExecutor(_DNS_THREADS, "dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return every address of the host; raises OSError where it has none."""

        def look_up() -> list[ResolveResult]:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
            return [_result(host, str(sockaddr[0]), port) for *_, sockaddr in found]

        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up)

    async def close(self) -> None:
        """Let go of the threads, without waiting for the look-ups still in them."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """A look-up that hands on only addresses that may be connected to.

    Hosts in `named` are answered from there, and nothing else is exempt. What is returned is what
    the connector dials, so that a second, different DNS answer changes nothing.
    """

    def __init__(self, named: Named, inner: AbstractResolver | None = None) -> None:
        """Guard `inner`, by default the system's look-up."""
        self._named = named
        self._inner = inner or SystemResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the allowed addresses of the host; raises Forbidden where all are forbidden."""
        if host in self._named:
            address, own_port = self._named[host]
            return [_result(host, address, own_port or port)]
        found = await self._inner.resolve(host, port, family)
        allowed = [_result(host, one["host"], port) for one in found if may_connect(one["host"])]
        if not allowed:
            raise Forbidden(f"{host} leads to an address that is not on the public internet.")
        return allowed

    async def close(self) -> None:
        """Close the look-up within."""
        await self._inner.close()


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def guarded_socket(named: Named) -> Callable[[AddressInfo], socket.socket]:
    """Return a maker of sockets that refuses to serve a forbidden address.

    The second lock: whatever way an address came by, it is looked at once more right before the
    connection is opened to it.
    """
    exempt = {(ipaddress.ip_address(address), port) for address, port in named.values()}

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, sockaddr = info
        address, port = str(sockaddr[0]), int(sockaddr[1])
        if not may_connect(address):
            ip = ipaddress.ip_address(address)
            if (ip, None) not in exempt and (ip, port) not in exempt:
                raise ForbiddenAddress
        return socket.socket(family, kind, protocol)

    return make


def guarded_connector(
    named: Named, per_host: int, resolver: GuardedResolver
) -> aiohttp.TCPConnector:
    """Return the connector for what is fetched: at most 200 connections, `per_host` to a host.

    Certificates are checked against the system's list or SSL_CERT_FILE. Needs a running loop.
    """
    return aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=guarded_socket(named),
        ssl=trust(),
        limit=200,
        limit_per_host=per_host,
        ttl_dns_cache=_DNS_SECONDS,
    )


def trust() -> ssl.SSLContext:
    """The certificates that we trust: the system's list or SSL_CERT_FILE."""
    return _trust(os.environ.get("SSL_CERT_FILE", ""))


@cache
def _trust(_file: str) -> ssl.SSLContext:
    """The certificates that we trust, read once: that takes longer than a page does."""
    return ssl.create_default_context()
