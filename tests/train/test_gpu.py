"""Which job gets which GPU, without one: the devices' names come from CUDA_VISIBLE_DEVICES."""

import os
from pathlib import Path
from threading import Thread

import pytest

from phase2.errors import UserError
from phase2.train.gpu import claimed_gpu, visible_gpus


@pytest.fixture(autouse=True)
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")


def test_two_jobs_at_once_get_two_devices_and_each_sees_only_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with claimed_gpu(tmp_path) as first:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == first == "0"
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # the other job's environment
        with claimed_gpu(tmp_path) as second:
            assert second == "1"


def test_a_third_job_waits_until_a_device_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    got: list[str] = []

    def wait() -> None:
        with claimed_gpu(tmp_path, poll_seconds=0.01) as gpu:
            got.append(gpu)

    with claimed_gpu(tmp_path):
        job = Thread(target=wait)
        job.start()
        job.join(timeout=0.2)
        assert got == []
    job.join(timeout=10)
    assert got == ["3"]


def test_a_machine_without_a_gpu_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi
    assert visible_gpus() == []
    with (
        pytest.raises(UserError, match=r"compute.device is cuda.*no GPU: set it to auto or cpu"),
        claimed_gpu(tmp_path),
    ):
        pass
