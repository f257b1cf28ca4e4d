# SPDX-License-Identifier: Apache-2.0
"""Files kept by their hash, and pictures fetched from elsewhere."""

from datetime import datetime

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters


class StoredFile(Base):
    """A file in the state folder, named by the SHA-256 of its bytes."""

    __tablename__ = "files"

    sha256: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(Characters(100))
    size: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime]


class RemotePicture(Base):
    """A picture on another host, fetched when first viewed; `sha256` None if it failed."""

    __tablename__ = "remote_pictures"

    url: Mapped[str] = mapped_column(Characters(2048), primary_key=True)
    sha256: Mapped[str | None] = mapped_column(Characters(64))
    fetched: Mapped[datetime]
