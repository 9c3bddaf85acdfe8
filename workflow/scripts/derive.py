"""Checks every step of every derivation and writes them as LaTeX, with a table of how each step was checked."""

from pathlib import Path

import pandas as pd
import torch
from job import job

from phase2.derive.catalog import DERIVATIONS, load
from phase2.derive.latex import to_latex
from phase2.files import atomic_path, write_text

with job(snakemake):
    torch.set_num_threads(1)  # many small products: more threads wait for each other
    texts, rows = [], []
    for name in DERIVATIONS:
        derivation = load(name)()
        ways = derivation.check()
        texts.append(to_latex(derivation, ways))
        rows += [(name, derivation.title, number, way) for number, way in enumerate(ways, start=1)]
    write_text(Path(snakemake.output.latex), "\n\n".join(texts) + "\n")
    with atomic_path(Path(snakemake.output.steps)) as temporary:
        pd.DataFrame(rows, columns=["derivation", "title", "step", "checked"]).to_csv(temporary, index=False)
