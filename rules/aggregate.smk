# From cells to tables: one tidy table of all cells, their curves, and the statistics drawn from them.


rule aggregate:
    input:
        metrics=lambda w: cell_files(w.study, "metrics.json"),
        history=lambda w: cell_files(w.study, "history.csv"),
        data=lambda w: meta_of(CONFIG.studies[w.study].task.dataset),
    output:
        **{table: f"{TABLES}/{table}.csv" for table in ("cells", "curves", "schedules")},
        receipt=f"{RECEIPTS}/aggregate-{{study}}.json",
    log:
        f"logs/{RUN}/{{study}}/aggregate.log",
    benchmark:
        f"logs/{RUN}/{{study}}/aggregate.benchmark.tsv"
    params:
        code=lambda w: fingerprint("phase2.study.tables"),
        today=lambda w: codes_today(w.study),
    message:
        "gathering the cells of {wildcards.study}"
    script:
        "../workflow/scripts/aggregate.py"


rule analyse:
    input:
        cells=f"{TABLES}/cells.csv",
        data=lambda w: meta_of(CONFIG.studies[w.study].task.dataset),
    output:
        **{table: f"{TABLES}/{table}.csv" for table in ANALYSES},
        receipt=f"{RECEIPTS}/analyse-{{study}}.json",
    log:
        f"logs/{RUN}/{{study}}/analyse.log",
    benchmark:
        f"logs/{RUN}/{{study}}/analyse.benchmark.tsv"
    params:
        code=lambda w: fingerprint("phase2.stats.analysis"),
        factors=lambda w: CONFIG.studies[w.study].factors,
        score=lambda w: card_of_score(CONFIG.studies[w.study].task.name),
    message:
        "analysing {wildcards.study}"
    script:
        "../workflow/scripts/analyse.py"


rule record:
    """The resolved configuration, beside the results it led to."""
    input:
        [f"{RESULTS}/tables/{study}/cells.csv" for study in CELLS],
    output:
        config=f"{RESULTS}/config.yaml",
        receipt=f"{RECEIPTS}/record.json",
    log:
        f"logs/{RUN}/record.log",
    params:
        config=CONFIG.model_dump(mode="json"),
    message:
        "recording the configuration"
    script:
        "../workflow/scripts/record.py"


rule summarise:
    input:
        [
            f"{RESULTS}/tables/{study}/{table}.csv"
            for study in CELLS
            for table in ("cells", "chosen", "variance", "score")
        ],
    output:
        metrics=f"{RESULTS}/metrics.json",
        receipt=f"{RECEIPTS}/summarise.json",
    log:
        f"logs/{RUN}/summarise.log",
    params:
        code=lambda w: fingerprint("phase2.stats.summary"),
        factors={name: study.factors for name, study in CONFIG.studies.items()},
    message:
        "summing up"
    script:
        "../workflow/scripts/summarise.py"
