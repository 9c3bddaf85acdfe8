"""A Slurm cluster of two nodes on this machine's loopback: for the tests, or until Ctrl-C, as root:

    python tests/slurm/cluster.py

Its files, logs included, are in /run/phase2-slurm. The configuration has to be in /etc/slurm, since the `srun` inside
a job gets no SLURM_CONF from Snakemake's plugin; what was there is put back at the end. There is no accounting.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

FOLDER = Path("/run/phase2-slurm")
ETC = Path("/etc/slurm")
NODES = ("n1", "n2")
CPUS = 2  # a node, whatever this machine has: the four packs of the smoke grid fill both
PATIENCE = 60  # seconds, for a machine with other work


class ClusterError(Exception):
    """The cluster cannot run here; the message says why, and what would help."""


@contextmanager
def cluster() -> Iterator[None]:
    """Runs the cluster, both nodes idle at first; ends its jobs and leaves nothing behind."""
    _check()
    _put_back()  # a session that was killed did not
    with ExitStack() as cleanup:
        cleanup.callback(_put_back)
        _configure()
        cleanup.enter_context(_daemon("munged", "--foreground", *_munge_options()))
        _wait((FOLDER / "munge.socket").exists, "munged's socket")
        cleanup.enter_context(_daemon("slurmctld", "-D", "-c"))
        for node in NODES:
            cleanup.enter_context(_daemon("slurmd", "-D", "-N", node))
        _wait(_all_idle, "both nodes to be idle")
        cleanup.callback(_end_jobs)
        yield


def _check() -> None:
    if os.geteuid() != 0:
        raise ClusterError("a test cluster needs root, for /etc/slurm and slurmd: sudo make slurm-test")
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch", "setpriv") if not shutil.which(name)]
    if missing:
        raise ClusterError(f"{', '.join(missing)} not found: sudo apt-get install slurm-wlm munge util-linux")
    if "UP" in _output("scontrol", "ping"):
        raise ClusterError("this machine belongs to a running cluster, whose /etc/slurm must stay: use another machine")


def _files() -> dict[str, str]:
    """The files of /etc/slurm, by name."""
    host = os.uname().nodename.split(".")[0]
    nodes = "\n".join(
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} RealMemory=16000 Gres=gpu:1"
        for port, name in enumerate(NODES, start=17818)
    )
    slurm = f"""\
ClusterName=phase2
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=17817
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={FOLDER}/munge.socket
StateSaveLocation={FOLDER}/state
SlurmctldPidFile={FOLDER}/slurmctld.pid
SlurmctldLogFile={FOLDER}/slurmctld.log
SlurmdSpoolDir={FOLDER}/spool-%n
SlurmdPidFile={FOLDER}/slurmd-%n.pid
SlurmdLogFile={FOLDER}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge=3600
KillWait=5
ReturnToService=2
SchedulerParameters=batch_sched_delay=0
GresTypes=gpu
{nodes}
PartitionName=main Nodes={",".join(NODES)} Default=YES
PartitionName=short Nodes={",".join(NODES)} MaxTime=02:00:00
"""
    gres = f"NodeName={','.join(NODES)} Name=gpu File=/dev/null\n"  # something to count; no job finds a GPU there
    files = {"slurm.conf": slurm, "gres.conf": gres}
    version = [int(number) for number in re.findall(r"\d+", _output("slurmd", "-V"))]
    if version >= [23, 2]:  # older ones do not know the word, and do without
        files["cgroup.conf"] = "CgroupPlugin=disabled\n"
    return files


def _configure() -> None:
    """Writes the files, after keeping the ones they replace."""
    (FOLDER / "state").mkdir(parents=True)
    ETC.mkdir(exist_ok=True)
    keeping = FOLDER / "etc.part"
    keeping.mkdir()
    for name in _files():
        if (ETC / name).exists():
            shutil.copy2(ETC / name, keeping)
    keeping.rename(FOLDER / "etc")  # all are kept: from now on, and not before, they are put back
    for name, text in _files().items():
        (ETC / name).write_text(text)


def _put_back() -> None:
    kept = FOLDER / "etc"
    if kept.is_dir():
        for name in _files():
            (ETC / name).unlink(missing_ok=True)
        shutil.copytree(kept, ETC, dirs_exist_ok=True)
    shutil.rmtree(FOLDER, ignore_errors=True)


def _munge_options() -> list[str]:
    key = FOLDER / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    places = {
        "socket": "munge.socket",
        "key-file": "munge.key",
        "log-file": "munged.log",
        "pid-file": "munged.pid",
        "seed-file": "munge.seed",
    }
    return [f"--{option}={FOLDER / name}" for option, name in places.items()]


@contextmanager
def _daemon(*command: str) -> Iterator[None]:
    """Runs a daemon, which ends with the block, and also if this process is killed."""
    with (FOLDER / "output.log").open("a") as output:
        daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def _end_jobs() -> None:
    _output("scancel", "--user=root")
    _wait(lambda: not _output("squeue", "--noheader"), "the jobs to end")


def _all_idle() -> bool:
    return set(_output("sinfo", "--noheader", "--Node", "--format=%N %t").splitlines()) == {f"{n} idle" for n in NODES}


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            logs = "".join(f"\n{path}:\n{path.read_text()[-1000:]}" for path in sorted(FOLDER.glob("*.log")))
            raise ClusterError(f"waited {PATIENCE} s for {what}{logs}")
        time.sleep(0.1)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with cluster():
            print("ready: sinfo, squeue, sbatch, and snakemake --profile profiles/slurm. Ctrl-C ends it.")
            signal.pause()
    except ClusterError as error:
        sys.exit(f"phase2: {error}")
    except KeyboardInterrupt:
        pass
