# phase2: from dataset download to a typeset report. `snakemake --cores 2` makes the report of config.yaml, and
# `snakemake --cores 2 --configfile config/smoke.yaml` that of an overlay. Targets: all (default: report, notebooks, index),
# report, notebooks, index, data, grid, figures. Rules live in rules/, code in phase2/, one thin script a rule in
# workflow/scripts/.
from snakemake.utils import min_version

min_version("9.2")


include: "rules/place.smk"


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/data.smk"


if CONFIG.shipped is None:

    include: "rules/train.smk"
    include: "rules/baseline.smk"

else:

    include: "rules/shipped.smk"


include: "rules/probe.smk"
include: "rules/derive.smk"
include: "rules/aggregate.smk"
include: "rules/claims.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/notebooks.smk"
include: "rules/index.smk"
include: "rules/receipts.smk"


rule all:
    default_target: True
    input:
        rules.report.input,
        rules.notebooks.input,
        rules.index.output,
