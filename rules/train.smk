# Training: a rule for each study, a job for each pack. A job declares every file of every cell that it trains.

for name, study in CONFIG.studies.items():
    pack_axes = [axis for axis, _ in CELLS[name][0].axes if axis not in LANE_AXES]
    pack_path = "/".join(f"{axis}={{{axis}}}" for axis in pack_axes)
    lane_paths = sorted(
        {"/".join(f"{a}={v}" for a, v in cell.axes if a in LANE_AXES) for cell in CELLS[name]}
    )

    rule:
        name:
            f"train_{name}"
        input:
            DATA / "prepared" / study.task.dataset / "meta.json",
        output:
            [
                f"{root}/{name}/{pack_path}/{lane}/{file}".replace("//", "/")
                for lane in lane_paths
                for root, files in (
                    (RESULTS, ["metrics.json", "history.csv"]),
                    (CHECKPOINTS, weight_files(study)),
                )
                for file in files
            ],
        log:
            f"logs/{RUN}/{name}/{pack_path}.log",
        benchmark:
            f"logs/{RUN}/{name}/{pack_path}.benchmark.tsv"
        threads: CONFIG.compute.threads
        resources:
            mem_mb=2000,
            runtime=60,
            gpu=0 if CONFIG.compute.device == "cpu" else 1,
        params:
            cells=lambda wildcards, study=name: pack_digest(study, wildcards),
            code=lambda wildcards, study=name: pack_code(study, wildcards),
            study=name,
        script:
            "../workflow/scripts/train.py"


rule grid:
    input:
        [file for study in CELLS for file in cell_files(study, "metrics.json")],
