"""How large the networks of the papers are as they are built here, beside what the papers say."""

import math

import pandas as pd
import torch

from phase2.models.cifar_resnet import CifarResNet
from phase2.models.counting import operations, parameters
from phase2.models.lenet import LeNet
from phase2.models.resnet import ResNet
from phase2.models.vgg import VGG
from phase2.probe.model_sizes.card import Options

SHAPE, OUTPUTS = (3, 32, 32), 10  # images and classes of CIFAR-10
PUBLISHED = {20: 0.27e6, 32: 0.46e6, 44: 0.66e6, 56: 0.85e6, 110: 1.7e6}  # parameters: He et al. 2016, table 6
NETWORKS = [
    ("LeNet", LeNet, 5, {}),
    *(("VGG", VGG, depth, {"depth": depth}) for depth in (11, 16)),
    *(("ResNet", ResNet, depth, {"depth": depth}) for depth in (18, 34)),
    *(("CIFAR ResNet", CifarResNet, depth, {"depth": depth}) for depth in (20, 32, 44, 56, 110)),
]


def measure(options: Options) -> dict[str, pd.DataFrame]:
    """Table `sizes`, a row for each network, of 3x32x32 images with 10 classes: `network` as a family has it, `depth`
    in layers with weights, `parameters`, `gflop` of one image's forward pass (2 x multiply-adds / 10^9, without norms,
    activations and pooling), and `published_parameters` as the paper rounds them, NaN where it has none for this size
    of image.
    """
    rows = []
    for family, build, depth, arguments in NETWORKS:
        with torch.device("meta"):  # shapes are all that is asked for; the fused kernels know them
            model = build(SHAPE, OUTPUTS, backend="fused", **arguments)
        known = PUBLISHED[depth] if build is CifarResNet else math.nan
        size = {"parameters": parameters(model), "gflop": operations(model, SHAPE) / 1e9}
        rows.append({"network": family, "depth": depth} | size | {"published_parameters": known})
    return {"sizes": pd.DataFrame(rows)}
