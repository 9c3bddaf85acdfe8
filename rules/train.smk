# Training: a rule for each study, a job for each pack. A job declares every file of every cell that it trains.

for name, study in CONFIG.studies.items():
    pack_path = hive({axis: f"{{{axis}}}" for axis in CELLS[name][0].pack_axes})
    lane_paths = sorted({cell.partition.relative_to(cell.pack) for cell in CELLS[name]})

    rule:
        name:
            f"train_{name}"
        input:
            DATA / "prepared" / study.task.dataset / "meta.json",
        output:
            [
                str(Path(root, name, pack_path, lane, file))
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
            mem_mb=4000,
            runtime=60,
            gpu=int(CONFIG.compute.device == "cuda"),
        params:
            cells=lambda wildcards, study=name: pack_digest(study, wildcards),
            code=lambda wildcards, study=name: pack_code(study, wildcards),
            study=name,
        message:
            f"training {name} {{wildcards}}: {len(lane_paths)} cells"
        script:
            "../workflow/scripts/train.py"


rule grid:
    input:
        [file for study in CELLS for file in cell_files(study, "metrics.json")],
