"""How LSUV gets to unit variance: every measurement that it makes, layer by layer."""

from itertools import product

import pandas as pd
import torch

from phase2.data.prepared import Prepared
from phase2.models.mlp import MLP
from phase2.nn.initial.lsuv import scale_to_unit_variance
from phase2.nn.initial.orthogonal import orthogonal
from phase2.probe.images import images_of
from phase2.probe.lsuv_convergence.card import Options
from phase2.task.order import epoch_order
from phase2.task.seeding import generator


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """LSUV on an MLP of `depth` hidden layers of `width` units, on its seed's first minibatch of `batch` images.

    Table `convergence`, a row a measurement of each activation and seed: `variance` of the output of `layer` (1 is
    the first, depth + 1 the output layer) over rows and units, after `iteration` scalings of its weights. At
    iteration 0 its weights are orthonormal, and the layers before it have been scaled already.
    """
    parts = images_of(data)
    rows = []
    for seed, activation in product(options.seeds, options.activations):
        order = epoch_order(len(parts.train), seed, 0)
        images, _ = parts.train.batch(order[: options.batch], torch.float32)
        model = MLP(parts.train.features, parts.outputs, options.width, options.depth, activation)
        orthogonal(model, generator=generator(seed, "init"), batch=images)
        measurements = scale_to_unit_variance(model, images)
        number = {name: number for number, name in enumerate(dict.fromkeys(m.layer for m in measurements), start=1)}
        rows += [(activation, seed, number[m.layer], m.iteration, m.variance) for m in measurements]
    columns = ["activation", "seed", "layer", "iteration", "variance"]
    return {"convergence": pd.DataFrame(rows, columns=columns)}
