"""The mastery table's rows on foundations: networks by hand, activations, norms, dropout, initializations."""

from phase2.report.mastery_check import Check

PART = "Foundations"
FOUNDATIONS: tuple[Check, ...] = (
    Check(
        PART,
        "conceptual",
        "Backpropagation as a product of Jacobians, and why it collapses to matrix products",
        tests=("tests/scratch/test_scratch_mlp.py::test_loss_and_gradients_match_torch_for_any_sizes",),
        derivations=("two_layer_backprop",),
    ),
    Check(
        PART,
        "conceptual",
        "Softmax with cross-entropy: its gradient, its curvature, and why logits of 10,000 do no harm",
        tests=("tests/nn/test_loss.py::test_logits_of_1e4_match_torch",),
        derivations=("softmax_cross_entropy",),
    ),
    Check(
        PART,
        "conceptual",
        "Rectifiers and gates: where ReLU, GELU and Swish come from, and how far apart they are",
        tests=("tests/nn/test_activations.py::test_swish_is_silu_at_beta_1_and_near_gelu_at_1_702",),
        derivations=("relu", "gelu", "swish"),
        figures=("activation_shapes/activation_shapes",),
    ),
    Check(
        PART,
        "conceptual",
        "Saturation bounds the gradient by a product over the layers; smoothness bounds the step",
        derivations=("saturation", "smoothness"),
        figures=("fifty_layers/gradient_flow",),
    ),
    Check(
        PART,
        "conceptual",
        "What LayerNorm and BatchNorm are invariant to, and what that does to gradients",
        tests=("tests/nn/test_norm.py::test_layer_norm_gives_mean_zero_and_variance_one_whatever_the_input",),
        derivations=("layer_norm", "batch_norm"),
    ),
    Check(
        PART,
        "conceptual",
        "Why Xavier and Kaiming choose their variances",
        tests=("tests/nn/test_init_distributions.py::test_values_follow_the_distribution_they_claim",),
        derivations=("weight_variance",),
        figures=("signals/activation_histograms",),
    ),
    Check(
        PART,
        "conceptual",
        "Mean-field theory of wide networks: the variance's fixed point and the edge of chaos",
        derivations=("mean_field",),
        figures=("edge_of_chaos/mean_field",),
    ),
    Check(
        PART,
        "conceptual",
        "Dropout's expectation, variance and scaling at inference; dropout as approximate Bayesian inference",
        tests=(
            "tests/nn/test_dropout.py::test_expectation_is_the_input_and_variance_is_p_over_1_minus_p_times_its_square",
        ),
        derivations=("dropout", "mc_dropout"),
    ),
    Check(
        PART,
        "conceptual",
        "Universal approximation: what Cybenko's theorem says, and what it does not",
        derivations=("cybenko",),
        figures=("approximation/approximation",),
    ),
    Check(
        PART,
        "coding",
        "A reverse-mode tape: broadcasting, iterative order, no doubled gradients, no edits behind its back",
        tests=(
            "tests/scratch/test_autodiff_graphs.py::test_any_graph_has_torchs_values_and_gradients",
            "tests/scratch/test_autodiff.py::test_a_chain_of_100_000_nodes_works",
            "tests/scratch/test_autodiff.py::test_a_second_backward_adds_the_same_again_to_the_leaves_as_in_torch",
            "tests/scratch/test_autodiff.py::test_an_in_place_edit_of_a_saved_array_raises",
        ),
    ),
    Check(
        PART,
        "coding",
        "A perceptron by hand in NumPy, with a tape, and in torch with and without autograd: the same gradients",
        tests=(
            "tests/models/test_manual_mlp.py::test_all_four_give_the_same_logits_loss_and_gradients",
            "tests/models/test_manual_mlp.py::test_all_four_have_the_same_training_curve_over_100_steps",
        ),
        figures=("four_ways/four_ways",),
    ),
    Check(
        PART,
        "coding",
        "Every activation with its first and second derivative by formula",
        tests=(
            "tests/nn/test_activations.py::test_value_and_two_derivatives_match_torch",
            "tests/nn/test_activations.py::test_derivatives_pass_gradcheck",
            "tests/nn/test_activation_prelu.py::test_value_gradients_and_second_derivatives_match_torch",
        ),
    ),
    Check(
        PART,
        "coding",
        "BatchNorm, LayerNorm, GroupNorm and RMSNorm with gradients by hand, right where the mean dwarfs the deviation",
        tests=(
            "tests/nn/test_norm.py::test_norm_matches_torch_in_value_gradients_and_statistics",
            "tests/nn/test_norm.py::test_float32_is_right_to_the_last_digits_where_the_mean_dwarfs_the_deviation",
            "tests/nn/test_norm_lanes.py::test_a_lane_equals_the_network_alone_after_several_steps_and_in_evaluation",
        ),
    ),
    Check(
        PART,
        "coding",
        "Dropout, by channel too, and Monte-Carlo dropout that leaves BatchNorm alone",
        tests=(
            "tests/nn/test_dropout.py::test_dropout_is_torchs_bit_for_bit",
            "tests/nn/test_dropout.py::test_predictions_are_probabilities_that_differ_by_sample_and_leave_batch_norm_alone",
        ),
    ),
    Check(
        PART,
        "coding",
        "Losses with smoothing, class weights and ignored labels; squared error that never broadcasts",
        tests=(
            "tests/nn/test_loss.py::test_every_combination_of_options_matches_torch",
            "tests/nn/test_mse.py::test_shapes_that_differ_are_an_error_naming_both",
        ),
    ),
    Check(
        PART,
        "coding",
        "Initializers with the distributions they claim, and LSUV layer by layer",
        tests=(
            "tests/nn/test_init.py::test_same_generator_gives_torchs_bits",
            "tests/nn/test_init_distributions.py::test_orthogonal_rows_or_columns_are_orthonormal",
            "tests/nn/test_lsuv.py::test_every_layer_is_left_with_unit_output_variance",
        ),
        figures=("lsuv/lsuv_convergence",),
    ),
    Check(
        PART,
        "research",
        "Which activations converge fast, end well, saturate or die, in identical networks",
        figures=("activations/learning_curves", "activations/score_heatmap", "unit_health/unit_health"),
    ),
    Check(
        PART,
        "research",
        "How the initialization decides the course of a training",
        figures=("mlp_grid/training_dynamics", "signals/gradient_flow"),
    ),
    Check(
        PART,
        "research",
        "Whether normalization makes depth trainable",
        figures=("norm_depth/learning_curves", "norm_depth/score_heatmap"),
    ),
    Check(
        PART,
        "research",
        "BatchNorm's noise against the size of the batch, predicted and measured",
        derivations=("batch_noise",),
        figures=("batch_noise/batch_noise",),
    ),
    Check(
        PART,
        "research",
        "Dropout's rate, its scaling done wrong, its calibration, and its doubt about unfamiliar inputs",
        tests=("tests/probe/test_uncertainty_probe.py::test_without_dropout_all_methods_are_one",),
        figures=(
            "dropout_rates/learning_curves",
            "uncertainty/dropout_inference",
            "uncertainty/uncertainty_shift",
        ),
    ),
)
