# Data: download -> verify -> prepare. Sources and checksums are in phase2/data/sources.py.


rule download:
    output:
        DATA / "raw" / "{dataset}" / "download.json",
    log:
        "logs/data/{dataset}/download.log",
    message:
        "downloading {wildcards.dataset}"
    script:
        "../workflow/scripts/download.py"


rule verify:
    input:
        rules.download.output,
    output:
        DATA / "raw" / "{dataset}" / "verified.json",
    log:
        "logs/data/{dataset}/verify.log",
    message:
        "verifying {wildcards.dataset}"
    script:
        "../workflow/scripts/verify.py"


rule prepare:
    input:
        rules.verify.output,
    output:
        meta=DATA / "prepared" / "{dataset}" / "meta.json",
        receipt=DATA / "prepared" / "{dataset}" / "receipt.json",
    log:
        "logs/data/{dataset}/prepare.log",
    params:
        code=lambda w: prepared_by(w.dataset)["code"],
        content=lambda w: prepared_by(w.dataset)["content"],
    message:
        "preparing {wildcards.dataset}"
    script:
        "../workflow/scripts/prepare.py"


rule data:
    input:
        [DATA / "prepared" / dataset / "meta.json" for dataset in DATASETS],
