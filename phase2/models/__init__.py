"""Networks, built from `phase2.nn`."""

from phase2.models.airbench import Airbench
from phase2.models.cifar_resnet import CifarResNet
from phase2.models.lenet import LeNet
from phase2.models.mlp import MLP
from phase2.models.preact_resnet import PreActResNet
from phase2.models.resnet import ResNet
from phase2.models.vgg import VGG

__all__ = ["MLP", "VGG", "Airbench", "CifarResNet", "LeNet", "PreActResNet", "ResNet"]
