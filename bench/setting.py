# SPDX-License-Identifier: Apache-2.0
"""What a run is to measure, and what its parts share."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import town
from bench.ceilings import FRESH, Beside, Ceilings
from bench.cluster import Cluster
from bench.town import Town

KINDS = ("sqlite", "postgresql")


@dataclass
class Bench:
    """One run: the sizes of towns, the kinds of database, how much of everything."""

    sizes: list[int]
    kinds: list[str]
    cache: Path
    scale: float = 1.0
    seconds: float = 12.0
    quick: bool = False
    _ceilings: Ceilings | None = None
    _cluster: Cluster | None = None
    _towns: dict[tuple[str, int], Town] = field(default_factory=dict)

    @property
    def smallest(self) -> int:
        return min(self.sizes)

    @property
    def ceilings(self) -> Ceilings:
        """What measures the limits of this run."""
        if self._ceilings is None:
            cluster = self.cluster("postgresql") if "postgresql" in self.kinds else None
            self._ceilings = Ceilings(cluster, quick=self.quick)
        return self._ceilings

    @contextmanager
    def beside(self, *names: str) -> Iterator[Beside]:
        """Measure limits before and after something; they are there when the block has ended."""
        found = Beside(self.ceilings.measure(*names))
        yield found
        found.and_after(self.ceilings.measure(*names, fresh=FRESH if self.quick else 0.0))

    def count(self, usual: int) -> int:
        """So many of something, fewer in a quick run."""
        return max(8, int(usual * self.scale))

    def cluster(self, kind: str) -> Cluster | None:
        """The cluster for this kind of database; None for SQLite."""
        if kind == "sqlite":
            return None
        if self._cluster is None:
            self._cluster = Cluster.open(self.cache / "cluster")
        return self._cluster

    def database_cpu(self, kind: str) -> Callable[[], float]:
        """Processor seconds of the database's own processes."""
        cluster = self.cluster(kind)
        return cluster.cpu if cluster else lambda: 0.0

    def town(self, kind: str, posts: int) -> Town:
        """The town of this size: built once, then read by everybody."""
        if (kind, posts) not in self._towns:
            self._towns[kind, posts] = town.town(self.cache, posts, self.cluster(kind))
        return self._towns[kind, posts]

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for one measurement."""
        made = Path(tempfile.mkdtemp(prefix="guildhall-bench-run-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def close(self) -> None:
        if self._ceilings is not None:
            self._ceilings.close()
        if self._cluster is not None:
            self._cluster.close()
