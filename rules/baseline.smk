# What networks have to beat: majority class and logistic regression, a rule for all studies of the same data.

BASELINES = {}
for name, study in CONFIG.studies.items():
    BASELINES.setdefault(canonical_json(study.task.model_dump(mode="json")), []).append(name)


for studies in BASELINES.values():

    rule:
        name:
            f"baseline_{studies[0]}"
        input:
            DATA / "prepared" / CONFIG.studies[studies[0]].task.dataset / "meta.json",
        output:
            tables=[f"{RESULTS}/tables/{name}/baseline.csv" for name in studies],
            receipt=f"{RECEIPTS}/baseline-{studies[0]}.json",
        log:
            f"logs/{RUN}/{studies[0]}/baseline.log",
        benchmark:
            f"logs/{RUN}/{studies[0]}/baseline.benchmark.tsv"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            code=lambda w, study=studies[0]: baseline_code(study),
            task=CONFIG.studies[studies[0]].task.model_dump(mode="json"),
            studies=studies,
        message:
            f"fitting the baselines of {', '.join(studies)}"
        script:
            "../workflow/scripts/baseline.py"
