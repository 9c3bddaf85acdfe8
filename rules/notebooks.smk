# Notebooks: run on the results and rendered to HTML; those in git hold no outputs.

NOTEBOOKS = {  # what each reads: kinds of probes, and tables of the studies that compare activations
    "nn_core_math": {
        "probes": ["four_ways", "batch_noise", "mean_field", "lsuv_convergence", "gradient_flow", "uncertainty"],
        "tables": [],
    },
    "activation_comparison": {
        "probes": ["activation_shapes", "gradient_flow", "unit_health"],
        "tables": ["cells", "curves", "ranking"],
    },
}


def notebook_tables(name):
    """The tables that a notebook reads."""
    reads = NOTEBOOKS[name]
    tables = [(n, t) for n, p in CONFIG.probes.items() if p.probe in reads["probes"] for t in PROBES[p.probe].tables]
    tables += [(n, t) for n, s in CONFIG.studies.items() if "activation" in s.factors for t in reads["tables"]]
    return [f"{RESULTS}/tables/{subject}/{table}.csv" for subject, table in tables]


rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        tables=lambda w: notebook_tables(w.notebook),
        config=rules.record.output.config,
    output:
        f"{RESULTS}/notebooks/{{notebook}}.html",
    log:
        f"logs/{RUN}/notebook-{{notebook}}.log",
    benchmark:
        f"logs/{RUN}/notebook-{{notebook}}.benchmark.tsv"
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS),
    params:
        code=lambda w: fingerprint(
            "phase2.report.notebook",
            "phase2.nn.layer_norm",
            "phase2.scratch.mlp",
            "phase2.scratch.tape_mlp",
            *(entry.target.split(":")[0] for entry in FIGURES.values()),
            *(target.split(":")[0] for target in DERIVATIONS.values()),
        ),
    message:
        "running the notebook {wildcards.notebook}"
    script:
        "../workflow/scripts/notebook.py"


rule notebooks:
    input:
        expand(rules.notebook.output, notebook=NOTEBOOKS),
