# Nothing stale, whatever became of Snakemake's memory (.snakemake): before a run is planned, every result is compared with
# what is wanted now. Jobs whose results disagree are forced, with a line that says why; results that agree get times in
# order, in a dry run too, since times of modification mean nothing after a clone, a pull or a copy.
import json
import time
from collections import Counter
from contextlib import suppress

from snakemake.dag import DAG
from snakemake.persistence import ParamsChange

from phase2.checksums import TIMESTAMP, Checksums
from phase2.files import write_json
from phase2.study.receipt import disagreement, made_from
from phase2.study.results import cell_disagreement, destinations

VERIFY = os.environ.get("PHASE2_VERIFY")  # where `phase2 verify` reads what disagrees; it trusts no remembered checksum
MADE_ON_DEMAND = {"download", "verify", "prepare"}  # when they are missing, they are made if something needs them


def data_hash(study):
    """The hash of a study's prepared data; None where they are not prepared."""
    meta = DATA / "prepared" / CONFIG.studies[study].task.dataset / "meta.json"
    try:
        return json.loads(meta.read_text(encoding="utf-8"))["hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def script_of(job):
    """The file of a job's script."""
    return Path(job.rule.basedir.get_path_or_uri(secret_free=True), job.rule.script).resolve()


def disagreements(job, checksums):
    """Why a job's results are not what is wanted now, each reason with how many times it stands; none if they agree."""
    if not job.is_script:
        return Counter()
    there = [os.path.exists(file) for file in job.output]
    if not any(there) and job.rule.name not in MADE_ON_DEMAND:
        return Counter({"": 1})
    if job.rule.name.startswith("train_"):
        study = job.params.study
        results, checkpoints, data = Path(RESULTS), Path(CHECKPOINTS), data_hash(study)
        cells = JOBS[study][hive(job.wildcards_dict)]
        said = (
            cell_disagreement(cell, data, destinations(cell, CONFIG.studies[study], results, checkpoints), checksums)
            for cell in cells
        )
        return Counter(reason for reason in said if reason)
    receipt = dict(job.output.items()).get("receipt")
    if receipt is None or not any(there):
        return Counter()
    if not all(there):
        return Counter({"files are missing": 1})
    outputs = [path for path in job.output if path != receipt]
    reason = disagreement(Path(receipt), made_from(job.params, script_of(job)), job.input, outputs, checksums)
    return Counter([reason] if reason else [])


def time_of(path):
    """When a file was modified, or a folder by Snakemake's mark in it; 0 if it is not there."""
    mark = os.path.join(path, TIMESTAMP)
    try:
        return os.stat(mark if os.path.exists(mark) else path).st_mtime_ns
    except OSError:
        return 0


def put_in_order(dag, jobs):
    """Makes no file of these jobs older than what it was made from, nor of the future: their content agrees."""
    for level in dag.toposorted():
        for job in jobs.intersection(level):
            made_of = [*job.input, script_of(job)]
            made = [*job.output, *([job.benchmark] if job.benchmark else [])]  # Snakemake counts it as an output
            there = [file for file in made if time_of(file)]
            times = [time_of(file) for file in there]
            if there and (min(times) < max(map(time_of, made_of)) or max(times) > time.time_ns()):
                with suppress(OSError):  # in a folder that only others may write, Snakemake says what it would do
                    for file in there:
                        file.touch()
                        dag.workflow.iocache.mtime.pop(file, None)  # read before they were compared


def compare(dag):
    """Compares all results of a graph with what is wanted; forces those that disagree."""
    checksums = Checksums(None) if VERIFY else Checksums()
    wrong = {job: reasons for job in dag.jobs if (reasons := disagreements(job, checksums))}
    checksums.remember()
    after = {later for job in wrong for later in dag.bfs(dag.depending, job)} - wrong.keys()
    first = {job: wrong[job] for job in wrong if wrong.keys().isdisjoint({*dag.bfs(dag.dependencies, job)} - {job})}
    dag.forcefiles.update(file for job in wrong for file in job.output)
    put_in_order(dag, {job for job in dag.jobs if job.is_script and job not in wrong and job not in after})
    tell(first)


def tell(wrong):
    """Prints which results disagree and why, a line a rule and reason; what was not made yet is not worth a line."""
    lines = Counter()
    for job, reasons in wrong.items():
        told = {reason or "not made yet": count for reason, count in reasons.items() if reason or VERIFY}
        lines.update({(job.rule.name, reason): count for reason, count in told.items()})
    if VERIFY:
        write_json(Path(VERIFY), [[rule, reason, count] for (rule, reason), count in lines.items()])
    elif lines:
        print("phase2: these results are not what is wanted now, and are made again:", file=sys.stderr)
        for (rule, reason), count in lines.items():
            print(f"  {rule}: {reason}{f' ({count} times)' if count > 1 else ''}", file=sys.stderr)


async def update_needrun(dag, *args, update=DAG.update_needrun, **kwargs):
    """Snakemake's own decision, after the results were compared; only the main process plans."""
    if dag.workflow.is_main_process:
        compare(dag)
    await update(dag, *args, **kwargs)


DAG.update_needrun = update_needrun
# `--list-changes params` names a file of each job, changed or not, without this.
ParamsChange.__iter__ = lambda change: iter(change.files if change else ())
