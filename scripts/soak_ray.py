"""`rag-agent index --on ray` on a local cluster of two nodes, against one process on the same passages (extra `ray`).

    .venv/bin/python scripts/soak_ray.py [--data ../shared/eval] [--chunks 1500] [--no-kill] [--client]

Shows: the same vectors, the time of both, and that an actor killed with -9 in the middle loses nothing; with --client the cluster
is reached as ray://127.0.0.1 instead, as one of other machines is. On one
machine that shows what the cluster costs, since the process alone uses all cores, too; more machines are what it is for.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from rag_agent.agent import RagAgent
from rag_agent.index.database import Database


def vectors(home: Path) -> dict[bytes, np.ndarray]:
    """What an index holds, by the hash of the text."""
    (file,) = (home / "indexes").glob("*.sqlite")
    database = Database(file, rebuild="")
    rows = database._connection.execute("SELECT hash, vector FROM vectors").fetchall()
    database.close()
    return {key: np.frombuffer(vector, np.float32) for key, vector in rows}


def copied(data: Path, docs: Path, chunks: int) -> None:
    """As many files as hold about so many chunks."""
    docs.mkdir()
    left = chunks
    for file in sorted([*(data / "xquad" / "docs").glob("*.txt"), *(data / "haystack").glob("*.txt")]):
        if left > 0:
            (docs / file.name).write_bytes(file.read_bytes())
            left -= file.stat().st_size // 400


def indexed(docs: Path, home: Path, on: str | None, progress: Any = None) -> tuple[float, Any]:
    """Index them; seconds, and the report."""
    began = time.perf_counter()
    with RagAgent(docs, home=home) as agent:
        report = agent.index(on=on, progress=progress)
    return time.perf_counter() - began, report


class Killer:
    """Kills one of the cluster's workers that embed, once, when some are embedded."""

    def __init__(self) -> None:
        self.killed: int | None = None

    def __call__(self, done: int, total: int) -> None:
        """Look at the progress."""
        if done and self.killed is None:
            import psutil

            for process in psutil.Process().children(recursive=True):
                with_name = " ".join(process.cmdline())
                if "Vectors" in with_name:  # as Ray names a worker by the actor that it runs
                    self.killed = process.pid
                    os.kill(process.pid, signal.SIGKILL)
                    return


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--chunks", type=int, default=1500)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument("--client", action="store_true")
    options = parser.parse_args()
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ImportError as error:
        print(f'soak ray: {error}; pip install "rag-agent[ray]"', file=sys.stderr)
        raise SystemExit(2) from error
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(options.data, folder / "docs", options.chunks)
        alone, report = indexed(folder / "docs", folder / "alone", None)
        print(f"one process: {report.chunks} chunks, {report.embedded} embedded, {alone:.1f} s", flush=True)
        node = {"num_cpus": 1, "object_store_memory": 200 * 2**20}
        head = {**node, "ray_client_server_port": 10001, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            cluster.add_node(**node)
            cluster.wait_for_nodes()
            os.environ["RAY_ADDRESS"] = cluster.address
            on = "ray://127.0.0.1" if options.client else "ray"
            for kill in (False,) if options.no_kill else (False, True):
                killer = Killer() if kill else None
                home = folder / f"ray-{kill}"
                took, report = indexed(folder / "docs", home, on, killer)
                one, other = vectors(folder / "alone"), vectors(home)
                assert set(one) == set(other), (len(one), len(other))
                assert report.embedded >= len(one), report
                off = max(float(np.abs(one[key] - other[key]).max()) for key in one)
                assert off < 1e-3, off
                print(
                    f"{on}, 2 nodes of 1 CPU: {report.chunks} chunks, {took:.1f} s ({took / alone:.2f} times), the same "
                    f"{len(one)} texts, numbers differ by {off:.1e} at most"
                    + (f"; worker {killer.killed} was killed" if killer else ""),
                    flush=True,
                )
                assert killer is None or killer.killed, "no worker was found to kill"
        finally:
            del os.environ["RAY_ADDRESS"]
            ray.shutdown()
            cluster.shutdown()
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("rag-agent")]
    assert not left, left
    print("soak ray: passed")


if __name__ == "__main__":
    main()
