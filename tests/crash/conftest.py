# SPDX-License-Identifier: Apache-2.0
"""What is logged in these tests is one line each."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def short_logs() -> Iterator[None]:
    """Without the drawn tracebacks of a developer's console: one takes a second."""
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[structlog.processors.add_log_level, plain])
    yield
    structlog.reset_defaults()
