import subprocess
import sys

FAULTS = """
import resource, sys, torch
from phase2.train.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
tensor = torch.ones(250_000)


def step():
    several = [tensor + i for i in range(10)]  # more at once than malloc keeps by itself


for _ in range(10):  # whatever is touched for the first time is touched here
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


STEP = 10 * 245  # pages of the ten tensors of a step


def page_faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True).stdout)


def test_freed_memory_is_used_again_without_page_faults():
    kept = page_faults("keep")
    assert kept < STEP  # over 200 steps
    assert kept < page_faults("leave") / 10
