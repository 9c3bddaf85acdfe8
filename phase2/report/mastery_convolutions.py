"""The mastery table's rows on convolutional networks: kernels, architectures, receptive fields, residual learning."""

from phase2.report.mastery_check import Check

PART = "Convolutional networks"
CONVOLUTIONS: tuple[Check, ...] = (
    Check(
        PART,
        "conceptual",
        "Convolution as a linear map, its adjoint, and its three gradients",
        tests=("tests/nn/test_conv.py::test_first_and_second_derivatives_pass_gradcheck",),
        derivations=("convolution",),
    ),
    Check(
        PART,
        "conceptual",
        "Output sizes and receptive fields by recursion; why the field in use grows with the root of the depth",
        tests=("tests/probe/test_fields.py::test_field_of_a_random_stack_is_the_support_of_the_gradient",),
        derivations=("receptive_field", "effective_field"),
        figures=("receptive_fields/erf_growth",),
    ),
    Check(
        PART,
        "conceptual",
        "Initialization of convolutions with ReLU, and why Xavier stalls where Kaiming trains",
        derivations=("convolution_init",),
        figures=("deep_init/best_curves",),
    ),
    Check(
        PART,
        "conceptual",
        "Why shortcuts keep gradients, and what they do to the variance of the signal",
        tests=("tests/models/test_preact_resnet.py::test_the_shortcut_path_is_a_plain_sum",),
        derivations=("residual_gradients", "residual_variance"),
        figures=("responses/gradient_by_depth", "responses/layer_responses"),
    ),
    Check(
        PART,
        "coding",
        "Conv1d and Conv2d from windows and one product, for every option, as exact as the fused kernel",
        tests=(
            "tests/nn/test_conv.py::test_convolutions_match_torch_for_every_option",
            "tests/nn/test_conv.py::test_conv2d_is_the_plain_loops",
            "tests/nn/test_conv_lanes.py::test_vmap_over_any_arguments_equals_a_loop_and_has_right_derivatives",
            "tests/models/test_lenet.py::test_trained_by_either_backend_it_is_the_same_network",
        ),
    ),
    Check(
        PART,
        "coding",
        "Pooling with its gradients, ties and missing values, and layers that share no weights",
        tests=(
            "tests/nn/test_pool.py::test_max_pool2d_matches_torch_for_every_option",
            "tests/nn/test_locally_connected.py::test_with_one_kernel_at_all_places_it_is_the_convolution",
        ),
    ),
    Check(
        PART,
        "coding",
        "LeNet, VGG and ResNets with the papers' sizes, running torchvision's weights",
        tests=(
            "tests/models/test_lenet.py::test_the_number_of_parameters_is_exact",
            "tests/models/test_cifar_resnet.py::test_the_number_of_parameters_is_the_papers_for_both_twins",
            "tests/models/test_torchvision.py::test_resnets_with_torchvisions_weights_give_its_outputs_and_gradients",
            "tests/models/test_torchvision.py::test_vgg16_with_torchvisions_weights_gives_its_outputs_and_gradients",
        ),
    ),
    Check(
        PART,
        "research",
        "What depth does to plain and to residual networks",
        figures=("depth/depth_curves",),
    ),
    Check(
        PART,
        "research",
        "Normalizations of convolutional networks, each at its own rate",
        figures=("conv_norms/score_heatmap",),
    ),
    Check(
        PART,
        "research",
        "What looking at neighbourhoods and sharing weights are worth, on images and on permuted ones",
        figures=("sharing/sharing",),
    ),
    Check(
        PART,
        "research",
        "What trained layers see: their fields, their filters, and what can be read from them",
        figures=(
            "receptive_fields/erf_maps",
            "features/first_filters",
            "features/exciting_images",
            "features/linear_probes",
        ),
    ),
)
