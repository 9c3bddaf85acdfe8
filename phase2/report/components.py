"""What the report says of each component that a study can name: its formula and its source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    """LaTeX for a component: a formula or a phrase, and the keys of report/references.bib."""

    definition: str
    cites: str = ""


# x is the pre-activation, sigma the logistic function, Phi the standard normal distribution function.
ACTIVATIONS = {
    "relu": Component(r"$\max(x, 0)$", "nair2010"),
    "leaky_relu": Component(r"$\max(x, 0) + 0.01 \min(x, 0)$", "maas2013"),
    "prelu": Component(r"$\max(x, 0) + a \min(x, 0)$, $a$ learnt from $1/4$", "he2015"),
    "elu": Component(r"$\max(x, 0) + \min(e^{x} - 1, 0)$", "clevert2016"),
    "selu": Component(r"$\lambda \max(x, 0) + \lambda \min(\alpha (e^{x} - 1), 0)$", "klambauer2017"),
    "gelu": Component(r"$x\,\Phi(x)$", "hendrycks2016"),
    "gelu_tanh": Component(r"$x\,(1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^3)))/2$", "hendrycks2016"),
    "gelu_sigmoid": Component(r"$x\,\sigma(1.702\,x)$", "hendrycks2016"),
    "silu": Component(r"$x\,\sigma(x)$", "elfwing2018,ramachandran2017"),
    "mish": Component(r"$x \tanh(\log(1 + e^{x}))$", "misra2020"),
    "softplus": Component(r"$\log(1 + e^{x})$", "dugas2001"),
    "tanh": Component(r"$\tanh x$"),
    "sigmoid": Component(r"$\sigma(x) = 1/(1 + e^{-x})$"),
}

# n_in and n_out are a layer's numbers of inputs and outputs.
INITS = {
    "xavier": Component(r"$\mathcal{N}(0, 2/(n_\mathrm{in} + n_\mathrm{out}))$", "glorot2010"),
    "kaiming": Component(r"$\mathcal{N}(0, 2/n_\mathrm{in})$", "he2015"),
    "orthogonal": Component("orthonormal rows or columns", "saxe2014"),
    "truncated_normal": Component("as Kaiming, cut at two standard deviations and scaled back to the same variance"),
    "lsuv": Component(
        "orthonormal, then each layer in turn scaled until the variance of its output on a batch is within 0.02 of 1",
        "mishkin2016",
    ),
    "normal_small": Component(r"$\mathcal{N}(0, 0.01^2)$ whatever the layer's size"),
    "normal_large": Component(r"$\mathcal{N}(0, 1)$ whatever the layer's size"),
}

# eta is the peak learning rate, u = t/T the part of the training that is done at step t of T.
SCHEDULES = {
    "constant": Component(r"$\eta$"),
    "step": Component(r"$\eta \cdot 0.1^{\lfloor 3u \rfloor}$"),
    "multi_step": Component(r"$\eta$ while $u < 1/2$, $\eta/10$ while $u < 3/4$, then $\eta/100$", "he2016"),
    "exponential": Component(r"$\eta \cdot 0.01^{u}$"),
    "linear": Component(r"$\eta\,(1 - u)$"),
    "polynomial": Component(r"$\eta\,(1 - u)^{0.9}$", "chen2018"),
    "cosine": Component(r"$\eta\,(1 + \cos \pi u)/2$", "loshchilov2017"),
    "warm_restarts": Component(
        r"$\eta\,(1 + \cos \pi v)/2$, $v$ the part done of the current period; "
        r"three periods, each twice as long as the one before",
        "loshchilov2017",
    ),
    "equal_restarts": Component(
        r"$\eta\,(1 + \cos \pi v)/2$, $v$ the part done of the current period; three periods of one length",
        "loshchilov2017",
    ),
    "one_cycle": Component(
        r"half a cosine from $\eta/25$ up to $\eta$ while $u < 0.3$, "
        r"then half a cosine down to $\eta/(25 \cdot 10^4)$",
        "smith2018",
    ),
    "one_cycle_momentum": Component(
        r"the rate of one-cycle; momentum takes half a cosine from $0.95$ down to $0.85$ while $u < 0.3$, "
        r"then half a cosine back",
        "smith2018",
    ),
    "linear_warmup": Component(r"a line from $\eta/3$ to $\eta$ while $u < 0.1$, then $\eta$", "goyal2017"),
    "cosine_warmup": Component(r"$\eta\,(2 - \cos 10 \pi u)/3$ while $u < 0.1$, then $\eta$"),
    "warmup_cosine": Component(
        r"a line from $\eta/3$ to $\eta$ while $u < 0.1$, then $\eta\,(1 + \cos \pi v)/2$ with $v = (u - 0.1)/0.9$",
        "goyal2017,loshchilov2017",
    ),
    "inverse_sqrt": Component(r"$\eta \min(n/w, \sqrt{w/n})$ at step $n = t + 1$, $w = T/10$", "vaswani2017"),
    "warmup_stable_decay": Component(
        r"a line from $\eta/3$ to $\eta$ while $u < 0.1$, then $\eta$, then $10\,\eta\,(1 - u)$ from $u = 0.9$ on",
        "hu2024",
    ),
}

# mu and v are mean and variance over what is named; gain and shift are learnt.
NORMS = {
    "none": Component("no normalization"),
    "batch": Component(r"$(x - \mu)/\sqrt{v + \epsilon}$ of a unit or a channel over the batch", "ioffe2015"),
    "layer": Component(r"$(x - \mu)/\sqrt{v + \epsilon}$ of an image over the units of a layer", "ba2016"),
    "group": Component(r"$(x - \mu)/\sqrt{v + \epsilon}$ of an image over a group of channels", "wu2018"),
    "rms": Component(r"$x/\sqrt{\operatorname{mean}(x^2) + \epsilon}$ over the units of a layer", "zhang2019"),
}

COMPONENTS = {"activation": ACTIVATIONS, "norm": NORMS, "init": INITS, "schedule": SCHEDULES}

MODELS = {
    "mlp": Component("a multilayer perceptron"),
    "lenet": Component("LeNet-5", "lecun1998"),
    "vgg": Component("VGG", "simonyan2015"),
    "resnet": Component("an ImageNet ResNet", "he2016"),
    "cifar_resnet": Component("a CIFAR ResNet", "he2016"),
    "plain": Component("a CIFAR network without shortcuts", "he2016"),
    "preact_resnet": Component("a pre-activation ResNet", "he2016b"),
    "convolutional": Component("a convolutional network"),
    "locally_connected": Component("a locally connected network", "lecun1989"),
    "dense": Component("a dense network"),
}

OPTIMIZERS = {
    "sgd": Component("stochastic gradient descent", "sutskever2013"),
    "momentum": Component("gradient descent with momentum", "polyak1964"),
    "nesterov": Component("gradient descent with Nesterov's momentum", "nesterov1983"),
    "rmsprop": Component("RMSprop", "tieleman2012"),
    "adagrad": Component("Adagrad", "duchi2011"),
    "adam": Component("Adam", "kingma2015"),
    "adamw": Component("AdamW", "loshchilov2019"),
}

DATASETS = {
    "digits": Component("scikit-learn's handwritten digits", "pedregosa2011"),
    "fashion_mnist": Component("Fashion-MNIST", "xiao2017"),
    "cifar10": Component("CIFAR-10", "krizhevsky2009"),
    "cifar10_jpeg": Component("CIFAR-10 re-encoded as JPEG", "krizhevsky2009"),
}


def described(kind: dict[str, Component], name: str) -> str:
    """A component's definition with its citation, as LaTeX."""
    component = kind[name]
    return component.definition + (rf"~\cite{{{component.cites}}}" if component.cites else "")
