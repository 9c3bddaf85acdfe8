# Notebooks: run on the results and rendered to HTML; those in git hold no outputs.


rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        tables=lambda w: notebook_tables(w.notebook),
        config=rules.record.output.config,
    output:
        page=f"{RESULTS}/notebooks/{{notebook}}.html",
        receipt=f"{RECEIPTS}/notebook-{{notebook}}.json",
    log:
        f"logs/{RUN}/notebook-{{notebook}}.log",
    benchmark:
        f"logs/{RUN}/notebook-{{notebook}}.benchmark.tsv"
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS),
    params:
        code=lambda w: fingerprint(
            "phase2.report.notebook",
            "phase2.nn.normalization.layer",
            "phase2.scratch.mlp",
            "phase2.scratch.tape_mlp",
            *(drawing(figure).module for figure in figures_of(*notebook_subjects(w.notebook))),
            *(target.split(":")[0] for target in DERIVATIONS.values()),
        ),
        labels=labels_in(*SUBJECTS),
        captions=lambda w: captions(*notebook_subjects(w.notebook)),
    message:
        "running the notebook {wildcards.notebook}"
    script:
        "../workflow/scripts/notebook.py"


rule notebooks:
    input:
        expand(rules.notebook.output.page, notebook=NOTEBOOKS),
