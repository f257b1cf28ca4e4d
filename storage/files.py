# SPDX-License-Identifier: Apache-2.0
"""Files kept by their hash, and pictures fetched from elsewhere."""

from datetime import datetime

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Word


class StoredFile(Base):
    """A file in the state folder, named by the SHA-256 of its bytes."""

    __tablename__ = "files"

    sha256: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(Characters(100))
    size: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime]


class FilePreview(Base):
    """What is seen of a file before it is downloaded; `picture` is a file of its own.

    `kind` is `picture`, `table` (`body` is the JSON of its first rows) or `text` (`body` is HTML).
    """

    __tablename__ = "file_previews"
    __table_args__ = (Index("ix_file_previews_picture", "picture"),)

    sha256: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    kind: Mapped[Word]
    body: Mapped[str] = mapped_column(default="")
    picture: Mapped[str | None] = mapped_column(Characters(64))


class RemotePicture(Base):
    """A picture on another host, fetched when first viewed; `sha256` None if it failed."""

    __tablename__ = "remote_pictures"
    __table_args__ = (Index("ix_remote_pictures_sha256", "sha256"),)

    url: Mapped[str] = mapped_column(Characters(2048), primary_key=True)
    sha256: Mapped[str | None] = mapped_column(Characters(64))
    fetched: Mapped[datetime]
