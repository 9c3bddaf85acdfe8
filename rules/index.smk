# The door of the run's folder: README.md, summary.csv, columns.csv, and index.html, which links all that a reader opens.


rule index:
    input:
        studies=[
            f"{RESULTS}/tables/{study}/{table}.csv"
            for study in CELLS
            for table in ("cells", "curves", "schedules", *ANALYSES)
        ],
        probes=[
            f"{RESULTS}/tables/{name}/{table}.csv" for name, probe in CONFIG.probes.items() for table in probe.tables
        ],
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
        columns=[COLUMNS, *(probe.columns for probe in CONFIG.probes.values())],
        metrics=metrics_told(),
        order=list(SUBJECTS),
        labels=labels_in(*SUBJECTS),
        command=lambda w: command(),
        notebooks=list(NOTEBOOKS),
    message:
        "writing {output.readme}"
    script:
        "../workflow/scripts/index.py"
