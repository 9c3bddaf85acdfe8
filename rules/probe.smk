# Probes: a rule for each, which measures on networks what no training curve shows, and writes tidy tables.

for name, probe in CONFIG.probes.items():

    rule:
        name:
            f"probe_{name}"
        input:
            data=[DATA / "prepared" / d / "meta.json" for d in sorted(set(CONFIG.datasets_of(name).values()))],
            weights=weights_of(name),
        output:
            **{table: f"{RESULTS}/tables/{name}/{table}.csv" for table in probe.tables},
            provenance=f"{RESULTS}/tables/{name}/provenance.json",
            receipt=f"{RECEIPTS}/probe-{name}.json",
        log:
            f"logs/{RUN}/{name}.log",
        benchmark:
            f"logs/{RUN}/{name}.benchmark.tsv"
        priority: int(not weights_of(name))  # the long ones that wait for no training go first
        threads: CONFIG.compute.threads
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            options=probe.deciding(),
            code=lambda wildcards, probe=probe: probe_code(probe),
            probe=name,
        message:
            f"measuring {name}"
        script:
            "../workflow/scripts/probe.py"
