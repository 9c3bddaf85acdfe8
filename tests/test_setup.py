"""A fresh machine: tools/setup.sh and the Makefile, with stub commands in the place of the system's."""

import os
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from phase2.study.place import TAKEN_APART

ROOT = Path(__file__).parents[1]
SYSTEM = "bash cat chmod cp dirname env grep head id make mkdir mktemp paste rm sed sh sort touch tr true"
PYTHONS = ("3.11.0", "3.11.2", "3.12.0", "3.13.0")  # the second is Debian 12's own
LATEX = ("latexmk", "pdflatex", "biber", "kpsewhich")
CHARACTERS = [*map(chr, range(32, 127)), "\t", "é", "数"]
TAKES_APART = [character for character in CHARACTERS if TAKEN_APART.search(character)]
HARMLESS = sorted(set(CHARACTERS) - {*TAKES_APART, "/"})
# Plays a Python 3.11: `-m venv` puts a copy of itself and a pip there, `-m pip` and other calls only succeed.
PYTHON = """
[ "$*" = --version ] && echo Python 3.11.0
[ "$1 $2" = "-m venv" ] || exit 0
rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python
echo "#!$PWD/.venv/bin/python" >.venv/bin/pip
echo venv >>calls"""


class Machine:
    """A checkout, and a PATH that has the plainest tools and what a test adds."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.datasets = folder / "datasets"
        for path in (self.root / "tools", self.root / "report", self.bin):
            path.mkdir(parents=True)
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.root)
        script = (ROOT / "tools" / "setup.sh").read_text().replace("/usr/share/datasets", str(self.datasets))
        (self.root / "tools" / "setup.sh").write_text(script)
        for name in SYSTEM.split():
            (self.bin / name).symlink_to(str(shutil.which(name)))

    def add(self, *names: str, body: str = "exit 0") -> None:
        for name in names:
            path = self.bin / name
            path.unlink(missing_ok=True)
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env={"PATH": str(self.bin), "HOME": str(self.root), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def setup(self, part: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("sh", "tools/setup.sh", part, **environment)

    def calls(self) -> list[str]:
        """What the stubs noted down in the checkout."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_latex_that_is_there_is_left_in_silence(machine: Machine) -> None:
    machine.add(*LATEX)
    run = machine.setup("latex")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_missing_latex_without_apt_is_one_message_with_the_command_to_run(machine: Machine) -> None:
    run = machine.setup("latex")
    assert run.returncode == 1
    assert run.stderr.count("phase2:") == 1
    assert "missing: latexmk pdflatex biber kpsewhich" in run.stderr
    assert "sudo apt-get install -y --no-install-recommends" in run.stderr.replace("update && sudo apt-get ", "")


def test_missing_latex_without_rights_does_not_touch_apt(machine: Machine) -> None:
    machine.add("apt-get", body="echo apt-get $* >>calls")
    machine.add("id", body="echo 1000")
    machine.add("sudo", body="exit 1")
    assert machine.setup("latex").returncode == 1
    assert machine.calls() == []


@pytest.mark.parametrize("user", ["0", "1000"])
def test_missing_latex_is_installed_by_root_or_passwordless_sudo(machine: Machine, user: str) -> None:
    installs = f'for t in {" ".join(LATEX)}; do cp "$0" "{machine.bin}/$t"; done'
    machine.add("apt-get", body=f'echo "$DEBIAN_FRONTEND $*" >>calls; case "$*" in *install*) {installs};; esac')
    machine.add("id", body=f"echo {user}")
    machine.add("sudo", body='shift; exec "$@"')
    run = machine.setup("latex")
    assert run.returncode == 0, run.stderr
    update, install = machine.calls()[:2]
    assert re.fullmatch(r"noninteractive .* update", update)
    assert re.fullmatch(r"noninteractive .* install --no-install-recommends latexmk .*", install)


def test_missing_slurm_without_apt_is_one_message_with_the_command_to_run(machine: Machine) -> None:
    run = machine.setup("slurm")
    assert run.returncode == 1
    assert run.stderr.count("phase2:") == 1
    assert "slurmctld" in run.stderr
    assert "apt-get install -y --no-install-recommends slurm-wlm munge" in run.stderr


def test_packages_that_the_report_names_are_looked_for_except_its_own(machine: Machine) -> None:
    machine.add(*LATEX)
    machine.add("kpsewhich", body='[ "$1" = booktabs.sty ]')
    (machine.root / "report" / "house.sty").write_text("\\RequirePackage[binary-units]{siunitx}\n")
    (machine.root / "report" / "report.tex").write_text("\\usepackage{house, booktabs}\n%\\usepackage{no}\n")
    assert machine.setup("latex-missing").stdout == "siunitx.sty\n"


def test_a_data_package_that_cannot_be_installed_only_warns(machine: Machine) -> None:
    machine.add("apt-get", body="echo E: Unable to locate package; exit 100")
    machine.add("id", body="echo 0")
    run = machine.setup("data-package")
    assert run.returncode == 0
    assert "Unable to locate package" in run.stderr
    assert "official address" in run.stderr


@pytest.mark.parametrize("place", ["datasets/fashion-mnist", "mirror/fashion_mnist", "checkout/data/raw/fashion_mnist"])
def test_no_data_package_is_installed_where_the_data_are(machine: Machine, place: str) -> None:
    folder = machine.root.parent
    (folder / place).mkdir(parents=True)
    machine.add("apt-get", body="echo apt-get >>calls")
    machine.add("id", body="echo 0")
    assert machine.setup("data-package", PHASE2_MIRROR=str(folder / "mirror")).returncode == 0
    assert machine.calls() == []


def pins() -> dict[str, list[Requirement]]:
    """What constraints.txt has for each package: one version, or several that markers tell apart."""
    found = defaultdict(list)
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            found[(pin := Requirement(line)).name].append(pin)
    return found


def test_each_pin_installs_on_every_python_that_pyproject_admits() -> None:
    checked = 0
    for name, choices in pins().items():
        try:
            installed = distribution(name)
        except PackageNotFoundError:  # of another system or Python
            continue
        for python in PYTHONS:
            there = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
            pin, *others = [pin for pin in choices if pin.marker is None or pin.marker.evaluate(there)]
            assert not others, f"{name} on {python}"
            if pin.specifier.contains(installed.version):
                needs = SpecifierSet(installed.metadata["Requires-Python"] or "")
                assert needs.contains(python), f"{pin} needs Python {needs}"
                checked += 1
    assert checked > 100 * len(PYTHONS)


def test_the_pythons_that_pyproject_admits_are_those_that_the_pins_were_checked_for() -> None:
    admits = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert [minor for minor in range(5, 30) if admits.contains(f"3.{minor}.0")] == [11, 12, 13]
    assert all(map(admits.contains, PYTHONS))


@pytest.mark.parametrize("character", TAKES_APART)
def test_a_path_that_the_shell_takes_apart_is_refused_before_anything_is_installed(
    character: str, machine: Machine
) -> None:
    machine.add("python3.11", body=PYTHON)
    machine.root = machine.root.rename(machine.root.with_name(f"my{character}phase2"))
    run = machine.run("make", "report")
    assert run.returncode == 2
    assert f"the checkout's path '{machine.root}' holds" in run.stderr
    assert "move the" in run.stderr
    assert machine.calls() == []


def test_a_path_of_all_other_characters_is_none_of_the_shells(machine: Machine) -> None:
    machine.add("python3.11", body=PYTHON)
    machine.root = machine.root.rename(machine.root.with_name("".join(HARMLESS)))
    assert machine.run("make", "setup").returncode == 0


def test_no_python_is_a_message_that_says_which_one_to_install(machine: Machine) -> None:
    machine.add("python3", body="exit 1")  # too old
    run = machine.setup("venv")
    assert run.returncode == 1
    assert "no Python from 3.11 to 3.13" in run.stderr


def test_a_python_that_lacks_venv_gets_debians_package_for_it(machine: Machine) -> None:
    machine.add("python3.11", body='case "$2" in *ensurepip*) exit 1;; *print*) echo python3.11-venv;; esac')
    run = machine.setup("venv")
    assert run.returncode == 1
    assert "sudo apt-get install python3.11-venv" in run.stderr


def test_an_environment_is_made_once_and_again_only_when_it_is_broken(machine: Machine) -> None:
    machine.add("python3.11", body=PYTHON)
    activated = f"{machine.root}/.venv/bin:{machine.bin}"
    assert machine.setup("venv").returncode == 0
    assert machine.setup("venv", PATH=activated).returncode == 0
    assert machine.calls() == ["venv"]

    (machine.root / ".venv" / "bin" / "python").unlink()  # killed half-way
    assert machine.setup("venv", PATH=activated).returncode == 0
    assert machine.calls() == ["venv", "venv"]

    machine.root = machine.root.rename(machine.root.with_name("moved"))
    assert machine.setup("venv").returncode == 0
    assert machine.calls() == ["venv", "venv", "venv"]


def test_setup_is_up_to_date_until_the_requirements_or_the_folder_change(machine: Machine) -> None:
    machine.add("python3.11", body=PYTHON)
    assert machine.run("make", "-q", "setup").returncode == 1
    assert machine.run("make", "setup").returncode == 0
    assert machine.run("make", "-q", "setup").returncode == 0

    later = (machine.root / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(machine.root / "constraints.txt", (later, later))
    assert machine.run("make", "-q", "setup").returncode == 1
    os.utime(machine.root / ".venv" / ".installed", (later, later))
    assert machine.run("make", "-q", "setup").returncode == 0

    machine.root = machine.root.rename(machine.root.with_name("moved"))
    assert machine.run("make", "-q", "setup").returncode == 1


def test_failed_packages_leave_no_stamp(machine: Machine) -> None:
    machine.add("python3.11", body='case "$*" in *install*) exit 1;; esac' + PYTHON)
    assert machine.run("make", "setup").returncode != 0
    assert not (machine.root / ".venv" / ".installed").exists()


@pytest.mark.parametrize("code", [0, 1])
def test_make_report_fails_if_and_only_if_snakemake_fails(machine: Machine, code: int) -> None:
    machine.add("python3.11", body=PYTHON)
    machine.add(*LATEX)
    machine.datasets.joinpath("fashion-mnist").mkdir(parents=True)
    assert machine.run("make", "setup").returncode == 0
    machine.add("snakemake", body=f"echo $* >>calls; exit {code}")
    (machine.bin / "snakemake").rename(machine.root / ".venv" / "bin" / "snakemake")
    run = machine.run("make", "report", "CONFIG=config/smoke.yaml", "CORES=4")
    assert (run.returncode == 0) == (code == 0)
    assert machine.calls()[-1] == "--cores 4 all --configfile config/smoke.yaml"


def test_make_help_names_every_target_with_its_cost(machine: Machine) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    lines = machine.run("make").stdout.splitlines()
    for target in set(phony[1].split()) - {"help", "FORCE"}:
        assert any(re.match(rf"make {target} .* [\d-]+ (s|min) ", line) for line in lines), target


def test_the_container_makes_targets_that_exist_and_takes_nothing_that_git_ignores() -> None:
    recipe = (ROOT / "Containerfile").read_text()
    targets = " ".join(re.findall(r"^(?:RUN make|#.* make) ([a-z -]+)", recipe, re.MULTILINE)).split()
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert targets
    assert set(targets) <= set(phony[1].split())
    ignored = [line for line in (ROOT / ".gitignore").read_text().splitlines() if line and line[0] != "#"]
    anywhere = [re.sub(r"^(?![!/])", "**/", line) for line in ignored]
    kept_out = [line.rstrip("/").removeprefix("/").replace("!/", "!") for line in anywhere]
    assert (ROOT / ".dockerignore").read_text().splitlines()[1:] == kept_out
