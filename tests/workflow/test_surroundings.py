"""Where a run is started, and what surrounds it."""

from pathlib import Path

import pytest
from checkout import BIN, Checkout


@pytest.mark.parametrize("there", [(), ("-d",)])
def test_a_run_from_another_folder_is_refused_before_anything_is_made(
    there: tuple[str], clone: Checkout, tmp_path: Path
):
    elsewhere = Checkout(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    command = [str(BIN / "snakemake"), "--cores", "1", "-s", str(clone.folder / "Snakefile"), "data"]
    if there:
        ran = clone.run([*command, "-d", str(elsewhere.folder), "--configfile", "config/smoke.yaml"])
    else:
        ran = elsewhere.run(command)
    ran.failed_with(f"would work in {elsewhere.folder}", f"run `cd {clone.folder}` first", "leave out -d")
    assert {path.name for path in elsewhere.folder.iterdir()} <= {".snakemake"}


def test_a_home_that_cannot_be_written_is_not_needed(clone: Checkout):
    ran = clone.snakemake("data", HOME="/dev/null", XDG_CACHE_HOME="/dev/null/.cache").succeeded()
    assert ran.jobs["prepare"] == 1
