"""What the profile for GPUs asks of a run: jobs that train are cut, and go on when they are started again."""

import yaml

from phase2.run.config import load
from phase2.source import ROOT


def test_the_profile_cuts_jobs_to_nine_minutes_which_are_started_again():
    profile = yaml.safe_load((ROOT / "profiles/gpu/config.yaml").read_text())
    assert load([ROOT / "config.yaml"]).compute.minutes is None
    assert load([ROOT / "config.yaml"], profile["config"]).compute.minutes == 9
    assert "retries: 100 if CONFIG.compute.minutes else 0" in (ROOT / "rules/train.smk").read_text()
