rule report:
    input:
        rules.figures.input,
    output:
        f"{RESULTS}/report.pdf",
    shell:
        "touch {output}"
