# The door of the run's folder: README.md, summary.csv, columns.csv, and index.html, which links all that a reader opens.


import re


def command():
    """The command that makes this run: of config.yaml, of the overlay that has its name, or of an overlay elsewhere."""
    for path in ("config.yaml", *sorted(map(str, Path("config").glob("*.yaml")))):
        if re.search(f"^run: *{RUN} *$", Path(path).read_text(encoding="utf-8"), re.MULTILINE):
            return "make report" if path == "config.yaml" else f"make report CONFIG={path}"
    return f"snakemake with an overlay of run: {RUN}"


rule index:
    input:
        tables=[f"{RESULTS}/tables/{study}/{table}.csv" for study in CELLS for table in ("cells", "chosen", "score")],
        environment=rules.sources.output.environment,
    output:
        **{table: f"{RESULTS}/{table}.csv" for table in ("summary", "columns")},
        readme=f"{RESULTS}/README.md",
        page=f"{RESULTS}/index.html",
        receipt=f"{RECEIPTS}/index.json",
    log:
        f"logs/{RUN}/index.log",
    params:
        code=lambda w: fingerprint("phase2.report.index"),
        config=CONFIG.model_dump(mode="json"),
        captions=captions(*SUBJECTS),
        labels=labels_in(*SUBJECTS),
        command=lambda w: command(),
        notebooks=list(NOTEBOOKS),
    message:
        "writing {output.readme}"
    script:
        "../workflow/scripts/index.py"
