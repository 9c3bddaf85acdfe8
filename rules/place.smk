# The place of a run: this checkout's folder, and its code before any other installed copy, here, where it is
# fingerprinted, and in the jobs, where it runs.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)
os.environ.update(PYTHONPATH=os.pathsep.join([workflow.basedir, *filter(None, [os.environ.get("PYTHONPATH")])]))

from phase2.errors import UserError
from phase2.study.place import check_place

try:
    check_place(Path(workflow.basedir), Path.cwd())
except UserError as error:
    raise WorkflowError(str(error))
