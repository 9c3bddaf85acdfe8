# Derivations: every step is checked before it is printed.


rule derive:
    output:
        latex=f"{RESULTS}/derivations/derivations.tex",
        steps=f"{RESULTS}/derivations/steps.csv",
        receipt=f"{RECEIPTS}/derive.json",
    log:
        f"logs/{RUN}/derive.log",
    benchmark:
        f"logs/{RUN}/derive.benchmark.tsv"
    priority: 1  # the report waits for it, and nothing else does
    params:
        code=lambda w: fingerprint("phase2.derive.latex", *(target.split(":")[0] for target in DERIVATIONS.values())),
    message:
        "checking the derivations"
    script:
        "../workflow/scripts/derive.py"
