# Claims: every one that there is about the run's studies and probes, with its verdict.


rule claims:
    input:
        tables=[
            f"{RESULTS}/tables/{subject.name}/{table}.csv"
            for subject in subjects(CONFIG)
            for table in claims_read(CONFIG, subject)
        ],
        provenance=[
            f"{RESULTS}/tables/{subject.name}/provenance.json"
            for subject in subjects(CONFIG)
            if subject.kind == "probe"
        ],
    output:
        claims=f"{RESULTS}/claims.json",
        receipt=f"{RECEIPTS}/claims.json",
    log:
        f"logs/{RUN}/claims.log",
    benchmark:
        f"logs/{RUN}/claims.benchmark.tsv"
    params:
        code=lambda w: fingerprint("phase2.run.judge", *modules_of_claims(CONFIG)),
        images={name: study.task.train for name, study in CONFIG.studies.items()},
        sentences=[(subject.kind, subject.name, sha256_file(subject.path)) for subject in subjects(CONFIG)],
        chapters=[(name, section.chapter) for name, section in SUBJECTS.items()],
    message:
        "judging the claims"
    script:
        "../workflow/scripts/claims.py"
