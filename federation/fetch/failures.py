# SPDX-License-Identifier: Apache-2.0
"""What goes wrong below, as errors of the wire."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from federation.errors import BadAnswer, Forbidden, Unreachable
from federation.fetch.resolver import ForbiddenAddress
from federation.origins import HttpUrl


@asynccontextmanager
async def within(deadline: float, target: HttpUrl) -> AsyncIterator[None]:
    """Give everything inside `deadline` seconds together."""
    try:
        async with asyncio.timeout(deadline):
            yield
    except TimeoutError:
        raise too_late(target, deadline) from None


def unreachable(target: HttpUrl, what: str) -> Unreachable:
    """No answer came; `what` follows the name of the host."""
    return Unreachable(f"{target.host} {what}", host=target.origin.partition("://")[2])


def too_late(target: HttpUrl, deadline: float) -> Unreachable:
    """Nothing came within `deadline` seconds."""
    return unreachable(target, f"did not answer within {deadline:g} seconds.")


def no_http(target: HttpUrl) -> BadAnswer:
    """What came is not an answer of HTTP."""
    return BadAnswer(f"{target.host} answered with something that is not HTTP.")


@contextmanager
def translated(target: HttpUrl) -> Iterator[None]:
    """Turn what the client library raises into the errors of the wire."""
    try:
        yield
    except aiohttp.ClientConnectorError as problem:
        if isinstance(problem.os_error, ForbiddenAddress):
            raise Forbidden(f"{target.host} leads to a forbidden address.") from None
        if isinstance(problem, aiohttp.ClientSSLError):
            raise unreachable(target, f"could not prove that it is {target.host}.") from None
        raise unreachable(target, "could not be reached.") from problem
    except ForbiddenAddress:
        raise Forbidden(f"{target.host} leads to a forbidden address.") from None
    except ssl.SSLError:
        raise unreachable(target, f"could not prove that it is {target.host}.") from None
    except aiohttp.ClientResponseError:
        raise no_http(target) from None
    except aiohttp.ClientPayloadError:
        raise unreachable(target, "broke off in the middle of its answer.") from None
    except (aiohttp.ClientError, OSError) as problem:
        if isinstance(problem, TimeoutError):
            raise
        raise unreachable(target, "could not be reached.") from problem
