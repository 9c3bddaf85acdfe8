# Figures: each a function of tidy tables, drawn again only when its own code or its tables change.


rule figure:
    input:
        lambda w: [f"{RESULTS}/tables/{w.study}/{table}.csv" for table in FIGURES[w.figure].tables],
    output:
        pdf=f"{RESULTS}/figures/{{study}}/{{figure}}.pdf",
        png=f"{RESULTS}/figures/{{study}}/{{figure}}.png",
    log:
        f"logs/{RUN}/{{study}}/figure-{{figure}}.log",
    params:
        code=lambda w: fingerprint(FIGURES[w.figure].target.split(":")[0], "phase2.figures.style"),
    message:
        "drawing {wildcards.figure} of {wildcards.study}"
    script:
        "../workflow/scripts/figure.py"


rule figures:
    input:
        [f"{RESULTS}/figures/{name}/{figure}.pdf" for name, study in CONFIG.studies.items() for figure in study.figures],
