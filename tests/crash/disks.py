# SPDX-License-Identifier: Apache-2.0
"""A file system of a test's own that breaks, after which it can only be read."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """An ext4 file system in a file, mounted so that a fault leaves it readable only (ext4(5))."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self._image = folder / "disk.img"

    def make(self) -> None:
        """Make and mount it; the test is skipped where that is not allowed."""
        self.folder.mkdir()
        with self._image.open("wb") as file:
            file.truncate(48 << 20)
        self._run("mke2fs", "-q", "-F", "-t", "ext4", self._image)
        self.mount()

    def mount(self) -> None:
        self._run("mount", "-o", "loop,errors=remount-ro", self._image, self.folder)

    def breaks(self) -> None:
        """Have it meet a fault, as a disk that wears out; only ever one in a file."""
        device = self._run("findmnt", "-n", "-o", "SOURCE", self.folder).strip()
        name = device.removeprefix("/dev/")
        assert name.startswith("loop")
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("1", encoding="ascii")

    def repair(self) -> None:
        """Have it checked and mounted anew; nothing may use it."""
        self.unmount()
        # 1 says that faults were found and mended (e2fsck(8)).
        subprocess.run(["e2fsck", "-f", "-y", self._image], capture_output=True, check=False)
        self.mount()

    def unmount(self) -> None:
        subprocess.run(["umount", self.folder], check=True)

    def _run(self, *command: str | Path) -> str:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            pytest.skip(f"{command[0]} is not here: {error}")
        if done.returncode:
            pytest.skip(f"{command[0]} may not be used here: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A disk while the block runs."""
    made = Disk(folder)
    made.make()
    try:
        yield made
    finally:
        made.unmount()
