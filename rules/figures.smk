# Figures: each a function of tidy tables, drawn again only when its own code or its tables change.


rule figure:
    input:
        lambda w: [f"{RESULTS}/tables/{w.subject}/{table}.csv" for table in drawing(w.figure).tables],
    output:
        pdf=f"{RESULTS}/figures/{{subject}}/{{figure}}.pdf",
        png=f"{RESULTS}/figures/{{subject}}/{{figure}}.png",
        receipt=f"{RECEIPTS}/figure-{{subject}}-{{figure}}.json",
    log:
        f"logs/{RUN}/{{subject}}/figure-{{figure}}.log",
    params:
        code=lambda w: fingerprint(drawing(w.figure).module, "phase2.figures.style"),
        labels=lambda w: labels_in(w.subject),
    message:
        "drawing {wildcards.figure} of {wildcards.subject}"
    script:
        "../workflow/scripts/figure.py"


rule figures:
    input:
        [f"{RESULTS}/figures/{name}/{figure}.pdf" for name, subject in SUBJECTS.items() for figure in subject.figures],
