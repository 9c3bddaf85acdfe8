# Shipped cells: of a run that shows finished trainings as they were, by whatever code, all is restored in one job and
# nothing is trained. What the folder lacks was taken out of the configuration (phase2/run/shipped.py).


rule restore:
    input:
        str(CONFIG.shipped / "cells.tar.xz"),
        [str(CONFIG.shipped / "data" / f"{dataset}.json") for dataset in DATASETS],
    output:
        cells=[file for study in CELLS for name in ("metrics.json", "history.csv") for file in cell_files(study, name)],
        data=[meta_of(dataset) for dataset in DATASETS],
        baselines=[f"{RESULTS}/tables/{study}/baseline.csv" for study in CELLS],
        receipt=f"{RECEIPTS}/restore.json",
    log:
        f"logs/{RUN}/restore.log",
    params:
        code=lambda w: fingerprint("phase2.run.shipped"),
        cells=[cell.id for cells in CELLS.values() for cell in cells],
    message:
        f"restoring the cells of {CONFIG.shipped}"
    script:
        "../workflow/scripts/restore.py"


rule grid:
    input:
        rules.restore.output.cells,
