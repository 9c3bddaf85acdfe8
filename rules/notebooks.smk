# Notebooks: run on the results and rendered to HTML; those in git hold no outputs.


rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        tables=lambda w: notebook_tables(w.notebook),
        claims=rules.claims.output.claims,
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
            *shown_in(w.notebook).modules,
            *(drawing(figure).module for figure in figures_of(*notebook_subjects(w.notebook))),
            *(DERIVATIONS[name].split(":")[0] for name in shown_in(w.notebook).derivations),
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
