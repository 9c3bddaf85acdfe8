# Training: a rule for each study, a job for each pack or for the packs of all seeds. A job declares every file of every
# cell that it trains.

for name, study in CONFIG.studies.items():
    axes = [folder.split("=")[0] for folder in next(iter(JOBS[name])).parts]
    job_path = hive({axis: f"{{{axis}}}" for axis in axes})
    log_path = job_path if axes else "all"
    cell_paths = sorted({cell.partition.relative_to(job) for job, cells in JOBS[name].items() for cell in cells})

    rule:
        name:
            f"train_{name}"
        input:
            DATA / "prepared" / study.task.dataset / "meta.json",
        output:
            [
                str(folder / cell / file)
                for cell in cell_paths
                for folder, files in (
                    (cell_folder(Path(RESULTS), name, job_path), ["metrics.json", "history.csv"]),
                    (Path(CHECKPOINTS, name, job_path), weight_files(study)),
                )
                for file in files
            ],
        log:
            f"logs/{RUN}/{name}/{log_path}.log",
        benchmark:
            f"logs/{RUN}/{name}/{log_path}.benchmark.tsv"
        retries: 100 if CONFIG.compute.minutes else 0
        threads: CONFIG.compute.threads
        resources:
            mem_mb=4000,
            runtime=60,
            gpu=int(CONFIG.compute.device == "cuda"),
        params:
            cells=lambda wildcards, study=name: job_digest(study, wildcards),
            code=lambda wildcards, study=name: job_code(study, wildcards),
            study=name,
        message:
            f"training {name} {{wildcards}}: {len(cell_paths)} cells"
        script:
            "../workflow/scripts/train.py"


rule grid:
    input:
        [file for study in CELLS for file in cell_files(study, "metrics.json")],
