# SPDX-License-Identifier: Apache-2.0
"""When the loops of the worker failed last."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Word

LONGEST = 500


class WorkerCrash(Base):
    """The last failure of one loop, whichever process it ran in; `error` is one line."""

    __tablename__ = "worker_crashes"

    loop: Mapped[Word] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    error: Mapped[str] = mapped_column(Characters(LONGEST))
    process: Mapped[str] = mapped_column(Characters(64))
