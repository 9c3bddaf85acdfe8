# The report: LaTeX sources written from results, and the PDFs typeset from them and from report/.


rule sources:
    input:
        tables=[
            f"{RESULTS}/tables/{study}/{table}.csv" for study in CELLS for table in ("cells", "baseline", *ANALYSES)
        ],
        probes=[f"{RESULTS}/tables/{n}/{t}.csv" for n, p in CONFIG.probes.items() for t in p.tables],
        provenance=[f"{RESULTS}/tables/{name}/provenance.json" for name in CONFIG.probes],
        derivations=rules.derive.output.latex,
        claims=rules.claims.output.claims,
        checks="report/mastery.yaml",
        data=[meta_of(dataset) for dataset in DATASETS],
    output:
        generated=directory(f"{RESULTS}/report/generated"),
        trace=f"{RESULTS}/report/trace.json",
        mastery=f"{RESULTS}/mastery.csv",
        environment=f"{RESULTS}/environment.json",
        receipt=f"{RECEIPTS}/sources.json",
    log:
        f"logs/{RUN}/sources.log",
    params:
        code=lambda w: fingerprint("phase2.report.build"),
        labels=labels_in(*SUBJECTS),
        definitions=definitions(),
        captions=captions(*SUBJECTS),
        order=list(SUBJECTS),
        config=CONFIG.model_dump(mode="json"),
    message:
        "writing the report's numbers and tables"
    script:
        "../workflow/scripts/sources.py"


rule typeset:
    input:
        latex=lambda w: sources_of(w.document),
        generated=rules.sources.output.generated,
        environment=rules.sources.output.environment,
        figures=rules.figures.input,
        metrics=rules.summarise.output.metrics,
        config=rules.record.output.config,
    output:
        pdf=f"{RESULTS}/{{document}}.pdf",
        labels=f"{RESULTS}/report/{{document}}.labels.json",
        receipt=f"{RECEIPTS}/typeset-{{document}}.json",
    log:
        f"logs/{RUN}/{{document}}.log",
    benchmark:
        f"logs/{RUN}/{{document}}.benchmark.tsv"
    wildcard_constraints:
        document="|".join(DOCUMENTS),
    message:
        "typesetting {output}"
    script:
        "../workflow/scripts/typeset.py"


rule report:
    input:
        expand(rules.typeset.output.pdf, document=DOCUMENTS),
