"""Trials on a real Ray cluster: several nodes on this machine, which come, go, and are killed."""

from __future__ import annotations

import dataclasses
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from gru_tune import cli
from gru_tune import config as configs
from gru_tune.errors import StudyError
from gru_tune.executors import cluster, ray, remote
from gru_tune.executors.base import WorkerDied
from gru_tune.executors.cluster import Share
from gru_tune.executors.ray import Ray
from gru_tune.executors.worker import Start
from gru_tune.study import log as logs
from gru_tune.study import study
from gru_tune.study.log import Died, Finished, Launch
from gru_tune.study.results import StudyFolder
from gru_tune.trial import Fault
from tests import standins as trainings
from tests.executors import clusters, standins
from tests.executors.clusters import ROOT, Nodes, wait_until
from tests.study import studies

pytestmark = pytest.mark.slow
PARTS = dataclasses.replace(trainings.PARTS, train=standins.slow)


@contextmanager
def place(nodes: Nodes, train: Any = standins.train, start: Start | None = None) -> Iterator[Ray]:
    with cluster.joined(nodes.address) as joined:
        assert joined is not None
        executor = Ray(train, joined, Share(), start or Start())
        try:
            yield executor
        finally:
            executor.close(kill=True)


def outcomes(folder: StudyFolder) -> list[tuple[int, int]]:
    """The last epoch and number of every job that has an outcome, in the order of the record."""
    events = logs.read(folder.log).events
    return [(e.outcome.trial, e.outcome.epochs[-1].number) for e in events if isinstance(e, Finished)]


def died(folder: StudyFolder) -> list[Died]:
    return [event for event in logs.read(folder.log).events if isinstance(event, Died)]


def prepared(folder: Path) -> Path:
    (folder / "prepared").mkdir()
    (folder / "prepared" / "info.json").write_text("facts", encoding="utf-8")
    (folder / "prepared" / "x.npy").write_bytes(os.urandom(100_000))
    return folder / "prepared"


def tasks() -> list[int]:
    """The processes of this machine in which a task of Ray runs."""
    names = {process.pid: process.info["cmdline"] for process in psutil.process_iter(["cmdline"])}
    return [pid for pid, words in names.items() if words and words[0] in ("ray::slow", "ray::train")]


def test_files_travel_with_a_job_and_come_back_while_it_runs(on_ray: Ray, tmp_path: Path) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "epoch-00001.state").write_text("after one epoch", encoding="utf-8")
    (folder / "model.keras").write_text("a former model", encoding="utf-8")
    on_ray._train = standins.leave_files
    job = dataclasses.replace(standins.job(folder, 7), data=str(prepared(tmp_path)), first_epoch=1)
    future = on_ray.submit(job)
    assert wait_until(lambda: (folder / "epoch-00002.state").exists())
    assert not future.done()
    base = remote._place(on_ray._run)
    os.utime(base, (0, 0))  # as if it had begun long ago
    assert wait_until(lambda: base.stat().st_mtime > 0)
    assert wait_until(lambda: any(report["epoch"] == 1 for report in on_ray.progress()))
    assert future.result(60).fast_path == "facts"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["7.json", "epoch-00002.state", "model.keras"]
    assert (folder / "epoch-00002.state").read_text(encoding="utf-8") == "after one epoch"
    assert (folder / "model.keras").read_text(encoding="utf-8") == "model"


def test_a_disk_that_is_full_here_ends_the_task_there(
    on_ray: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(home: Path, told: remote.Written) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ray, "_put", full)
    error = on_ray.submit(standins.job(tmp_path, 1, seed=99)).exception(60)
    assert isinstance(error, OSError)
    assert error.errno == 28
    assert wait_until(lambda: not tasks())


def test_paths_of_a_call_are_of_this_machine(on_ray: Ray, tmp_path: Path) -> None:
    source, file, folder = tmp_path / "best.keras", tmp_path / "sample.npz", tmp_path / "again"
    source.write_text("model and ", encoding="utf-8")
    data = prepared(tmp_path)
    assert on_ray.call(standins.copy, source, data, file, folder).result(60) == "model and facts"
    assert file.read_text(encoding="utf-8") == "model and facts"
    assert (folder / "model.keras").read_text(encoding="utf-8") == "model and facts"
    assert not (tmp_path / "stray").exists()
    assert source.read_text(encoding="utf-8") == "model and "


def test_data_are_unpacked_once_a_node_and_deleted_at_the_end(nodes: Nodes, tmp_path: Path) -> None:
    data = prepared(tmp_path)
    with place(nodes) as executor:
        calls = [executor.call(standins.where_data_lie, data) for _ in range(2)]
        calls += [executor.call(standins.where_data_lie, data) for _ in range(4)]
        found = {call.result(60) for call in calls}
        assert len(found) == 1
        folder = Path(found.pop()[0])
        assert folder != data
        assert (folder / "x.npy").read_bytes() == (data / "x.npy").read_bytes()
        assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert not folder.parent.exists()


def test_a_node_can_write_nowhere_else(tmp_path: Path) -> None:
    home = tmp_path / "7"
    for path in ("../8/model.keras", "/etc/passwd", "a/../../b"):
        with pytest.raises(ValueError, match="wants to write"):
            ray._put(home, remote.Written(0, path, b"content"))
    ray._put(home, remote.Written(0, "model.keras", b"content"))
    ray._put(home, remote.Written(0, "model.keras", None))
    assert list(tmp_path.rglob("*")) == [home]


def test_a_file_that_is_deleted_while_others_are_read_is_told_of_as_gone(tmp_path: Path) -> None:
    written = remote._Files({0: tmp_path})
    for name in ("a", "b"):
        (tmp_path / name).write_text("content", encoding="utf-8")
    changes = written.changes()
    first = next(changes)
    other = ({"a", "b"} - {first.path}).pop()
    (tmp_path / other).unlink()
    assert list(changes) == []
    (tmp_path / first.path).unlink()
    assert list(written.changes()) == [remote.Written(0, first.path, None)]


def test_what_other_runs_have_left_and_others_delete_is_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"{remote.PREFIX}gone").symlink_to(tmp_path / "nowhere")
    old = tmp_path / f"{remote.PREFIX}old"
    old.mkdir()
    os.utime(old, (0, 0))
    assert remote._base("mine").is_dir()
    assert not old.exists()


def test_faults_of_a_task(nodes: Nodes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with place(nodes) as executor:
        other = executor.submit(standins.job(tmp_path, 1, seed=99))
        assert wait_until(lambda: any(report.get("epoch") == 1 for report in executor.progress()))
        crashed = executor.submit(standins.job(tmp_path, 2, seed=66)).exception(60)
        assert isinstance(crashed, WorkerDied)
        assert str(crashed) == "its worker ended unexpectedly; Ray's logs on its machine tell more"
        assert crashed.fault is Fault.CRASH
        executor.abandon(other, "no epoch ended for 10 s", Fault.HUNG)
        hung = other.exception(60)
        assert isinstance(hung, WorkerDied)
        assert (str(hung), hung.fault) == ("no epoch ended for 10 s", Fault.HUNG)
        assert executor.submit(standins.job(tmp_path, 3)).result(60).trial == 3
        executor._train = standins.disk_full
        full = executor.submit(standins.job(tmp_path, 4)).exception(60)
        assert isinstance(full, OSError)
        assert full.errno == 28
        assert full.strerror == "No space left on device on the node 127.0.0.1 of the cluster"
    assert "raylet" not in "".join(capfd.readouterr())  # Ray's own messages stay out of the display


def test_a_worker_that_holds_too_much_is_ended(nodes: Nodes, tmp_path: Path) -> None:
    with place(nodes, standins.hoard, Start(memory=300_000_000)) as executor:
        error = executor.submit(standins.job(tmp_path)).exception(60)
        assert isinstance(error, WorkerDied)
        assert (str(error), error.fault) == (
            "its worker needed more than 0.3 GB (search.memory_per_worker)",
            Fault.MEMORY,
        )


def test_a_limit_is_of_one_trial_and_not_of_those_before_it(nodes: Nodes) -> None:
    with cluster.joined(nodes.address) as joined:
        assert joined is not None
        executor = Ray(standins.train, joined, Share(memory=10_000_000), Start(memory=10**10))
        first, second = (executor.call(os.getpid).result(60) for _ in range(2))
        executor.close()
    assert first != second


def test_a_worker_that_cannot_start_says_so(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(nodes, start=Start(standins.cannot_start)) as executor:
        executor.warm(os.getpid)  # it is told of by the job
        error = executor.submit(standins.job(tmp_path)).exception(60)
        assert isinstance(error, WorkerDied)
        assert (str(error), error.fault) == (
            "its worker could not start (OSError: no such library)",
            Fault.START,
        )
        (tmp_path / "of_this_machine.py").write_text("def train(job): ...", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        executor._train = importlib.import_module("of_this_machine").train
        missing = executor.submit(standins.job(tmp_path)).exception(60)
        assert isinstance(missing, WorkerDied)
        assert (str(missing), missing.fault) == (
            "its worker could not start (System error: No module named 'of_this_machine')",
            Fault.START,
        )
        executor._train = standins.train
        monkeypatch.setattr(ray, "Task", lambda *given: remote.Task(*given, version="0.0.1"))
        other = executor.submit(standins.job(tmp_path)).exception(60)
        assert "and this one 0.0.1: install the same on all" in str(other)


def test_a_node_that_joins_is_used_and_one_that_goes_costs_its_own_trial(
    nodes: Nodes, tmp_path: Path
) -> None:
    with place(nodes) as executor:
        jobs = [executor.submit(standins.job(tmp_path, number, seed=99)) for number in (1, 2, 3)]
        assert wait_until(lambda: len(executor.progress()) == 2)
        assert executor.slots == 2
        joined = nodes.add()
        assert wait_until(lambda: executor.slots == 3)
        assert wait_until(lambda: len(executor.progress()) == 3)  # the third has waited in Ray's queue
        nodes.kill(joined)
        assert wait_until(lambda: any(job.done() for job in jobs))
        lost = [job.exception() for job in jobs if job.done()]
        assert [str(error) for error in lost] == ["the machine it ran on is gone"]
        assert [error.fault for error in lost if isinstance(error, WorkerDied)] == [Fault.LOST]


def test_a_study_is_the_same_as_on_this_machine(nodes: Nodes, tmp_path: Path) -> None:
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder in folders:
        folder.mkdir()
    here = studies.run(folders[0], *studies.FINALS)
    there = studies.run(folders[1], *studies.FINALS, workers=1, ray=nodes.address)
    assert studies.proposals(there) == studies.proposals(here)
    columns = ("trial", "accuracy", "units", "depth", "status")
    told = [
        [{key: row[key] for key in columns if key in row} for row in studies.rows(one)]
        for one in (here, there)
    ]
    assert told[0] == told[1]
    assert there.best.read_bytes() == here.best.read_bytes()
    assert there.sample.read_text(encoding="utf-8") == "sample"


def test_trials_of_a_lost_node_are_asked_again_and_go_on_from_their_checkpoints(
    nodes: Nodes, tmp_path: Path
) -> None:
    """The stand-in refuses to go on without the state of the job before, and every task begins in an empty folder."""

    class Killer(studies.Ears):
        def __init__(self) -> None:
            super().__init__()
            self.lost = nodes.add()

        def tick(self, running: Any) -> None:
            if self.lost is not None and len(running) == 3:
                nodes.kill(self.lost)
                self.lost = None

    watch = Killer()
    search = ("search.strategy=hyperband", "search.trials=6", "training.epochs=4")
    folder = studies.run(tmp_path, *search, workers=None, ray=nodes.address, parts=PARTS, watch=watch)
    assert watch.lost is None
    assert [(event.reason, event.fault) for event in died(folder)] == [
        ("the machine it ran on is gone", Fault.LOST)
    ]
    ended = outcomes(folder)
    assert len(set(ended)) == len(ended)
    launched = {e.trial for e in logs.read(folder.log).events if isinstance(e, Launch)}
    assert {trial for trial, _ in ended} == launched == set(range(1, 7))
    assert any(e.first_epoch for e in logs.read(folder.log).events if isinstance(e, Launch))
    assert {row["status"] for row in studies.rows(folder)} <= {"completed", "stopped"}


PROGRAM = """
import dataclasses, sys
from pathlib import Path
from gru_tune import config
from gru_tune.errors import GruTuneError
from gru_tune.executors import ray
from gru_tune.study import study
from tests.executors.test_ray import PARTS

if __name__ == "__main__":
    folder, address, gone, *settings = sys.argv[1:]
    ray.GONE = int(gone)
    loaded = config.load(Path(folder) / "toy.yaml", settings)
    try:
        study.run(loaded, out=Path(folder) / "out", ray=address, parts=PARTS)
    except GruTuneError as error:
        sys.exit(str(error))
"""


def start(folder: Path, address: str, *settings: str, gone: int = ray.GONE) -> subprocess.Popen[str]:
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    studies.config(folder)
    command = [sys.executable, str(folder / "program.py"), str(folder), address, str(gone), *settings]
    return subprocess.Popen(command, env=studies.environment(), stderr=subprocess.PIPE, text=True)


def test_a_killed_driver_leaves_no_task_and_the_study_goes_on(nodes: Nodes, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "out" / "toy")
    with start(tmp_path, nodes.address) as driver:
        studies.wait_for_outcomes(folder.log, 2)
        assert wait_until(tasks)
        driver.kill()
    assert wait_until(lambda: not tasks())
    before = outcomes(folder)
    assert 2 <= len(before) < 6
    studies.run(tmp_path, workers=None, ray=nodes.address)
    ended = outcomes(folder)
    assert ended[: len(before)] == before
    assert sorted(ended) == [(trial, 3) for trial in range(1, 7)]


def test_a_driver_that_is_told_to_end_saves_and_leaves_no_task(nodes: Nodes, tmp_path: Path) -> None:
    """Ray sets a handler of its own for SIGTERM when it is joined."""
    folder = StudyFolder(tmp_path / "out" / "toy")
    with start(tmp_path, nodes.address) as driver:
        studies.wait_for_outcomes(folder.log, 1)
        driver.send_signal(signal.SIGTERM)
        _, said = driver.communicate(timeout=60)
    assert said.strip().splitlines()[-1] == f"stopped; everything finished is saved in {folder.path}"
    assert wait_until(lambda: not tasks())


@pytest.mark.parametrize(
    ("kill", "what"),
    [
        (Nodes.kill_head, "the head of the Ray cluster at {address} no longer answers"),
        (Nodes.kill_own, "Ray has ended on this machine, which took it out of the cluster"),
    ],
)
def test_without_its_cluster_the_run_ends_in_words_and_goes_on_elsewhere(
    nodes: Nodes, tmp_path: Path, kill: Callable[[Nodes], None], what: str
) -> None:
    folder = StudyFolder(tmp_path / "out" / "toy")
    settings = ("search.trials=12", "model.units={int: [1, 20]}")
    with clusters.nodes(1) as other:
        address = other.address
        with start(tmp_path, address, *settings, gone=3) as driver:
            studies.wait_for_outcomes(folder.log, 2)
            kill(other)
            _, said = driver.communicate(timeout=60)
        assert driver.returncode == 1
    assert said.strip().splitlines()[-1] == (
        what.format(address=address)
        + "; everything finished is saved, and the same command goes on once there is a cluster"
    )
    before = outcomes(folder)
    studies.run(tmp_path, *settings, workers=None, ray=nodes.address)
    ended = outcomes(folder)
    assert ended[: len(before)] == before
    assert sorted(ended) == [(trial, 3) for trial in range(1, 13)]


def test_real_training_gives_the_same_numbers(nodes: Nodes, tmp_path: Path) -> None:
    def scores(name: str, **options: Any) -> list[list[str]]:
        loaded = configs.load(ROOT / "configs" / "smoke.yaml", ("search.trials=2", "winner.finalists=0"))
        folder = study.run(loaded, out=tmp_path / name, workers=1, **options)
        assert folder.best.exists()
        return [[row["trial"], row["accuracy"], row["fast_path"]] for row in studies.rows(folder)]

    assert scores("there", ray=nodes.address) == scores("here")


def test_parts_of_gpus(nodes: Nodes) -> None:
    """GPUs in name only: what is asked of Ray, and what it gives."""
    node = nodes.add(num_cpus=4, num_gpus=2)
    try:
        with cluster.joined(nodes.address) as joined:
            assert joined is not None
            assert joined.backend("auto")[0] == "tensorflow"
            share = joined.share(cpus=1, trials_per_gpu=2, memory=None)
            executor = Ray(standins.train, joined, share, Start())
            assert executor.slots == 4
            calls = [executor.call(standins.own_gpu) for _ in range(4)]
            found = [call.result(60) for call in calls]
            assert sorted(gpu for gpu, _ in found) == ["0", "0", "1", "1"]
            again = executor.call(standins.own_gpu).result(60)
            assert again[1] not in {process for _, process in found}  # a process keeps the GPU it begins with
            executor.close()
    finally:
        nodes.kill(node)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ray://10.0.0.1:10001", "run the command on a machine of the cluster and give --ray auto"),
        ("127.0.0.1:1", "--ray 127.0.0.1:1: there is no Ray cluster at 127.0.0.1:1 (Connection refused)"),
        ("head", "there is no Ray cluster at head (an address is HOST:PORT, as 10.0.0.1:6379, or auto)"),
        ("head:²", "there is no Ray cluster at head:² (an address is HOST:PORT, as 10.0.0.1:6379, or auto)"),
        ("a..b:1", "there is no Ray cluster at a..b:1 (encoding with 'idna' codec failed"),
    ],
)
def test_a_cluster_that_cannot_be_joined(address: str, reason: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(StudyError) as caught:
        cluster.join(address)
    assert reason in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", None])
def test_a_port_that_is_not_of_ray(answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(cluster, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        held = []

        def serve() -> None:
            for _ in range(2):  # whether anything is there, and what it is
                held.append(server.accept()[0])
            if answer is not None:
                held[1].sendall(answer)
                held[1].close()

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(StudyError) as caught:
            cluster.join(address)
        serving.join()
        for connection in held:
            connection.close()
    assert str(caught.value) == (
        f"--ray {address}: there is no Ray cluster at {address} (something else answers there)"
    )


def test_a_name_of_this_machine_is_looked_for_where_ray_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    services = pytest.importorskip("ray._private.services")
    monkeypatch.setattr(services, "canonicalize_bootstrap_address", lambda address: "127.0.0.2:1")
    with pytest.raises(StudyError, match=r"^--ray localhost:1: there is no Ray cluster at 127\.0\.0\.2:1 "):
        cluster.join("localhost:1")


def test_auto_is_what_ray_finds(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(StudyError, match=r"^--ray auto: there is no Ray cluster at 127\.0\.0\.1:1 "):
        cluster.join("auto")
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    with cluster.joined("auto") as joined:
        assert joined is not None
        assert joined.address == nodes.address
        assert joined.room(Share()) >= len(nodes.nodes)  # one that was killed may still count


def test_what_fits_into_a_node() -> None:
    node = {"CPU": 8.0, "GPU": 2.0, "memory": 10e9}
    assert cluster._fits(node, Share()) == 8
    assert cluster._fits(node, Share(cpus=3)) == 2
    assert cluster._fits(node, Share(gpus=1 / 3)) == 6
    assert cluster._fits(node, Share(gpus=1)) == 2
    assert cluster._fits(node, Share(memory=4_000_000_000)) == 2
    assert cluster._fits({"CPU": 8.0}, Share(gpus=1)) == 0
    assert cluster._fits({}, Share()) == 0


def test_no_workers_and_a_cluster_contradict(tmp_path: Path) -> None:
    studies.config(tmp_path)
    done = CliRunner().invoke(
        cli.main, ["run", str(tmp_path / "toy.yaml"), "--workers", "0", "--ray", "auto"]
    )
    assert done.exit_code == 2
    assert "--workers 0 trains in this process, and --ray on a cluster: leave one out" in done.output
