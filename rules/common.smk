# The validated configuration, and the helpers that rules share. Nothing here imports torch: this file runs in every job,
# and fingerprints of code are taken by functions, so that a job takes its own and no other.
import json
import re
import subprocess

from phase2 import registry
from phase2.derive.catalog import DERIVATIONS
from phase2.figures.catalog import OF_STUDIES, STUDY, drawing
from phase2.figures.catalog import check as check_figures
from phase2.files import canonical_json, sha256_file
from phase2.probe.catalog import probe_code
from phase2.probe.options import COLUMNS
from phase2.report.shown import shown_by
from phase2.run.claims import modules as modules_of_claims
from phase2.run.claims import subjects
from phase2.run.claims import tables_of as claims_read
from phase2.run.config import validate
from phase2.run.missing import ANNOUNCED, lacking, without, without_configuration
from phase2.run.shipped import data_file, of_what_is_there
from phase2.study.cell import cells_of, hive, jobs_of
from phase2.study.code import components_of, prepared_by, training_code
from phase2.study.fingerprint import fingerprint
from phase2.study.progress import Monitor
from phase2.study.provenance import mixtures
from phase2.study.read import check_options, read
from phase2.study.results import cell_folder, weight_files
from phase2.study.score import card_of_score
from phase2.words.labels import labels_of


def configuration():
    """The files and values that Snakemake was given, read by the reader that `phase2` has, which is stricter."""
    overlays = list(workflow.overwrite_configfiles)
    files = [path for path in workflow.configfiles if path not in overlays]
    return read([*files, *overlays], workflow.config_settings.config_args or [])


try:
    check_options(sys.argv)
    given = configuration()
    config.clear()
    config.update(of_what_is_there(given))  # what scripts see
    CONFIG = validate(config)
    SUBJECTS = {**CONFIG.studies, **CONFIG.probes}
    for study in CONFIG.studies.values():
        check_figures(study.figures, STUDY, axes=study.factors)
    for probe in CONFIG.probes.values():
        check_figures(probe.figures, probe.probe, probe.tables)
except UserError as error:
    raise WorkflowError(str(error))

if CONFIG.missing and workflow.is_main_process and os.environ.get(ANNOUNCED) != " ".join(CONFIG.missing):
    raise WorkflowError("missing is set, which a run alone writes that goes on without what failed: remove the key")

RUN = CONFIG.run
DATA = CONFIG.data.folder
RESULTS = f"results/{RUN}"
CHECKPOINTS = f"checkpoints/{RUN}"
TABLES = f"{RESULTS}/tables/{{study}}"
RECEIPTS = f"{RESULTS}/receipts"
ANALYSES = ("ranking", "levels", "pairs", "variance", "divergence", "chosen", "score")
CELLS = {name: cells_of(name, study) for name, study in CONFIG.studies.items()}
JOBS = {name: jobs_of(cells, CONFIG.studies[name]) for name, cells in CELLS.items()}
DATASETS = CONFIG.datasets
MONITOR = Monitor(Path(".phase2/progress") / RUN)
DOCUMENTS = CONFIG.documents


wildcard_constraints:
    study="|".join(CONFIG.studies),
    subject="|".join(SUBJECTS),


def meta_of(dataset):
    """What is told of a data set: its arrays' meta, which a run of shipped cells has without the arrays."""
    return str(
        DATA / "prepared" / dataset / "meta.json" if CONFIG.shipped is None else data_file(Path(RESULTS), dataset)
    )


def job_digest(study, wildcards):
    """What a job's result depends on besides its data: its cells, and what is kept of them."""
    cells = JOBS[study][hive(dict(wildcards))]
    return {"cells": [cell.id for cell in cells], "keep": CONFIG.studies[study].keep}


def job_code(study, wildcards):
    """The fingerprint of all code behind a job's files."""
    cells = JOBS[study][hive(dict(wildcards))]
    components = {component for cell in cells for component in components_of(cell.settings)}
    return fingerprint("phase2.study.pack", components=tuple(sorted(components)))


def codes_today(study):
    """The code that shipped cells are compared with, of which each says whether it has changed since."""
    return sorted({training_code(cell.settings) for cell in CELLS[study]}) if CONFIG.shipped is not None else []


def baseline_code(study):
    """The fingerprint of all code behind a study's baselines."""
    return fingerprint("phase2.run.baseline", components=(("task", CONFIG.studies[study].task.name),))


def cell_files(study, name):
    """The files of one name, over all cells of a study."""
    return [str(cell_folder(Path(RESULTS), study, cell.partition) / name) for cell in CELLS[study]]


def weights_of(probe):
    """The weights that a probe reads, if it reads some."""
    cells = CONFIG.runs_of(probe)
    files = weight_files(CONFIG.studies[cells[0].study]) if cells else []
    return [f"{CHECKPOINTS}/{cell.study}/{cell.partition}/{file}" for file in files for cell in cells]


def metrics_told():
    """What the cards of the studies' tasks and of their metrics say: labels and units of columns."""
    tasks = {name: registry.part("task", name).card for name in {study.task.name for study in CONFIG.studies.values()}}
    metrics = {name for task in tasks.values() for name in task.traits["metrics"]}
    cards = [*tasks.values(), *(registry.part("metric", name).card for name in metrics)]
    return sorted((card.kind, card.target, card.label, canonical_json(card.traits)) for card in cards)


def shown_in(notebook):
    """What a notebook shows, by its code."""
    return shown_by(Path("notebooks", f"{notebook}.ipynb"))


def notebook_subjects(notebook):
    """The probes and studies that a notebook shows, with the tables that it may read of each."""
    shown = shown_in(notebook)
    probes = {n: probe.tables for n, probe in CONFIG.probes.items() if probe.probe in shown.probes}
    studies = [n for n, study in CONFIG.studies.items() if n in shown.studies or set(shown.axes) & set(study.factors)]
    return probes | dict.fromkeys(studies, (*OF_STUDIES, "baseline"))


# In the order in which to read them, without those that have nothing to show of this run.
NOTEBOOKS = list(filter(notebook_subjects, ["nn_core_math", "activation_comparison", "convolutions"]))


def notebook_tables(notebook):
    """The tables that a notebook may read."""
    subjects = notebook_subjects(notebook)
    return [f"{RESULTS}/tables/{n}/{table}.csv" for n, tables in subjects.items() for table in tables]


def figures_of(*subjects):
    """The figures of these studies and probes."""
    return sorted({figure for subject in subjects for figure in SUBJECTS[subject].figures})


def captions(*subjects):
    """What is told of the figures of these studies and probes: tables and caption are in no figure's code."""
    return {name: [drawing(name).caption, *drawing(name).tables] for name in figures_of(*subjects)}


def is_source(path):
    """Whether a path below report/ is a file that LaTeX may read, and not what an editor leaves beside it."""
    return path.is_file() and not path.name.startswith((".", "#")) and not path.name.endswith(("~", ".bak"))


def sources_of(document):
    """The files below report/ that a PDF is typeset from: all but the other documents."""
    others = {Path("report", name) for name in ("mastery.yaml", *(f"{d}.tex" for d in DOCUMENTS if d != document))}
    return sorted(str(path) for path in Path("report").rglob("*") if is_source(path) and path not in others)


def labels_in(*subjects):
    """What is told of all that figures and sentences of these studies and probes, and of the probes' studies, may name."""
    names = set()
    for subject in subjects:
        section = SUBJECTS[subject]
        study = CONFIG.studies.get(getattr(section, "study", subject))
        axes = study.axes.values() if study else {}
        names.update(axes, *axes.values(), words_in(section.model_dump(mode="json")))
    return labels_of(map(str, names))


def definitions():
    """What the report says of each part: its card's definition and citations."""
    parts = [part for kind in registry.ROOMS for part in registry.parts(kind).values()]
    return {part.target: [part.card.definition, part.card.cites] for part in parts}


def words_in(content):
    """All texts in a section of the configuration."""
    if isinstance(content, dict):
        return {word for value in content.values() for word in words_in(value)}
    if isinstance(content, list):
        return {word for value in content for word in words_in(value)}
    return {content} if isinstance(content, str) else set()


def command():
    """The command that makes this run: of config.yaml, of the overlay that has its name, or of an overlay elsewhere."""
    for path in ("config.yaml", *sorted(map(str, Path("config").glob("*.yaml")))):
        if re.search(f"^run: *{RUN} *$", Path(path).read_text(encoding="utf-8"), re.MULTILINE):
            return "make report" if path == "config.yaml" else f"make report CONFIG={path}"
    return f"snakemake with an overlay of run: {RUN}"


def spare_timers():
    """Lifts Snakemake's default limit of jobs a second, unless another was asked for.

    Under a limit each job that ends leaves a timer behind that wakes the scheduler once a second to the end of the run:
    after some hundred jobs they take a fifth of a core.
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def subject_of(job):
    """The study or the probe whose job this is, if it is one's."""
    kind, _, name = job.rule.name.partition("_")
    return name if kind in ("train", "probe") else job.wildcards_dict.get("study", job.wildcards_dict.get("subject"))


def report_without_what_failed():
    """If the run was told to keep going (-k), starts it again for all studies and probes that are whole.

    The lock that this process still holds guards both: it runs no job any more.
    """
    forced = {"-F", "--forceall", "-f", "--force", "-R", "--forcerun"} & set(sys.argv)
    wanted = any(job.rule.name == "typeset" for job in workflow.dag.jobs)
    if forced or not wanted or CONFIG.missing or not workflow.scheduler.keepgoing or workflow.scheduler._user_kill:
        return
    names = lacking(CONFIG, map(subject_of, workflow.dag.needrun_jobs()))
    if not names or CONFIG.studies.keys() <= set(names):
        return
    overlay = Path(".phase2") / f"without-what-failed-{RUN}.json"
    overlay.write_text(json.dumps(without(config, names)))
    command = [sys.executable, "-m", "snakemake", *without_configuration(sys.argv[1:])]
    command += ["--configfile", str(overlay), "--nolock"]
    print(f"phase2: going on without {', '.join(names)}", file=sys.stderr, flush=True)
    subprocess.run(command, env=os.environ | {ANNOUNCED: " ".join(names)}, check=False)


onstart:
    spare_timers()
    MONITOR.start(
        {
            job.output[0]: job.params.cells["cells"]
            for job in workflow.dag.needrun_jobs()
            if job.rule.name.startswith("train_") and not workflow.touch
        }
    )


onsuccess:
    pdfs = sorted(job.output[0] for job in workflow.dag.jobs if job.rule.name == "typeset")
    MONITOR.stop(report=next((pdf for pdf in pdfs if pdf.endswith("report.pdf")), None), missing=CONFIG.missing)
    for line in mixtures(
        table for study in CELLS if (table := Path(RESULTS, "tables", study, "cells.csv")).exists()
    ):
        print(line, file=sys.stderr)


onerror:
    MONITOR.stop(failed=True)
    report_without_what_failed()
