"""A Slurm cluster of two nodes on this machine's loopback, for the tests or by hand, as root:

    python tests/slurm/cluster.py start
    python tests/slurm/cluster.py stop

Its files are below /run/phase2-slurm, logs included. The configuration has to be in /etc/slurm, since a job's own
`srun` gets no SLURM_CONF from the plugin; what was there before is put back by `stop`. There is no accounting.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path("/run/phase2-slurm")
ETC = Path("/etc/slurm")
NODES = ("n1", "n2")
DAEMONS = ("munged", "slurmctld", "slurmd")
CPUS = 4  # a node, whatever this machine has, so that all of a small grid's jobs run at once
PATIENCE = 60  # seconds, for a machine with other work


class ClusterError(Exception):
    """The cluster cannot be started here; the message says why, and what would help."""


def configuration() -> dict[str, str]:
    """The files of /etc/slurm."""
    host = os.uname().nodename.split(".")[0]
    nodes = "\n".join(
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={17818 + i} CPUs={CPUS} RealMemory=16000"
        f" Gres=gpu:1"
        for i, name in enumerate(NODES)
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
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/builtin
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge=3600
KillWait=5
ReturnToService=2
GresTypes=gpu
{nodes}
PartitionName=main Nodes={",".join(NODES)} Default=YES MaxTime=INFINITE State=UP
"""
    gres = f"NodeName={','.join(NODES)} Name=gpu File=/dev/null\n"
    return {"slurm.conf": slurm, "gres.conf": gres}


def start() -> None:
    """Starts the daemons and waits for both nodes; leaves nothing behind if that fails."""
    _check()
    stop()
    try:
        _start()
    except BaseException:
        stop()
        raise


def stop() -> None:
    """Ends the daemons and their jobs, and puts back what /etc/slurm had. Harmless when nothing runs."""
    if _running("slurmctld"):
        subprocess.run(["scancel", "--state=PENDING,RUNNING", "--user=root"], capture_output=True, check=False)
        _wait(lambda: not _squeue(), "the jobs to end", lenient=True)
    for daemon in reversed(DAEMONS):
        for pid in _running(daemon):
            os.kill(pid, signal.SIGTERM)
        _wait(lambda daemon=daemon: not _running(daemon), f"{daemon} to end")
    kept = FOLDER / "etc"
    if kept.is_dir():
        for name in configuration():
            (ETC / name).unlink(missing_ok=True)
            if (kept / name).exists():
                shutil.move(kept / name, ETC / name)
    shutil.rmtree(FOLDER, ignore_errors=True)


def _check() -> None:
    if os.geteuid() != 0:
        raise ClusterError("a test cluster needs root, for /etc/slurm and slurmd: sudo make slurm-test")
    missing = [name for name in (*DAEMONS, "sbatch") if not shutil.which(name)]
    if missing:
        raise ClusterError(f"{', '.join(missing)} not found: sudo apt-get install slurm-wlm munge")
    for daemon in ("slurmctld", "slurmd"):
        strangers = set(_pids(daemon)) - set(_running(daemon))
        if strangers:
            raise ClusterError(
                f"{daemon} runs here (process {min(strangers)}): this machine belongs to a cluster, use another"
            )


def _start() -> None:
    for folder in (FOLDER, FOLDER / "state", ETC):
        folder.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / "etc.new"
    kept.mkdir()
    for name in configuration():
        if (ETC / name).exists():
            shutil.copy2(ETC / name, kept / name)
    kept.rename(FOLDER / "etc")
    for name, text in configuration().items():
        (ETC / name).write_text(text)

    key = FOLDER / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    names = {"socket": "munge.socket", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "munge.seed"}
    paths = [f"--{option}={FOLDER / name}" for option, name in names.items()]
    _run("munged", f"--key-file={key}", *paths)
    _run("slurmctld", "-c")
    for node in NODES:
        _run("slurmd", "-N", node)
    _wait(_all_idle, "both nodes to be idle")


def _run(*command: str) -> None:
    """Starts a daemon, which goes to the background by itself."""
    with (FOLDER / "start.log").open("a") as output:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if run.returncode:
        raise ClusterError(f"{' '.join(command)} failed{_logs()}")


def _logs() -> str:
    """The ends of all logs."""
    return "".join(f"\n{path}:\n{path.read_text()[-1000:]}" for path in sorted(FOLDER.glob("*.log")))


def _pids(daemon: str) -> list[int]:
    """The processes of that name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() == daemon:
                found.append(int(path.parent.name))
        except OSError:  # it has ended
            continue
    return found


def _running(daemon: str) -> list[int]:
    """The cluster's own processes of that name, also those that a killed session left."""
    noted = {int(path.read_text() or 0) for path in FOLDER.glob(f"{daemon}*.pid")}
    return [pid for pid in _pids(daemon) if pid in noted]


def _squeue() -> str:
    return subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=False).stdout.strip()


def _all_idle() -> bool:
    states = subprocess.run(
        ["sinfo", "--noheader", "--Node", "--format=%t"], capture_output=True, text=True, check=False
    ).stdout.split()
    return states == ["idle"] * len(NODES)


def _wait(condition: Callable[[], bool], what: str, lenient: bool = False) -> None:
    """Waits until the condition holds. Raises `ClusterError` after `PATIENCE` seconds unless lenient."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            if lenient:
                return
            raise ClusterError(f"waited {PATIENCE} s for {what}{_logs()}")
        time.sleep(0.2)


if __name__ == "__main__":
    commands = {"start": start, "stop": stop}
    if sys.argv[1:] not in [[name] for name in commands]:
        sys.exit(f"usage: {sys.argv[0]} start | stop")
    try:
        commands[sys.argv[1]]()
    except ClusterError as error:
        sys.exit(f"phase2: {error}")
