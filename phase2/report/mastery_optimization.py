"""The mastery table's rows on optimization: optimizers, schedules, clipping, curvature, the tangent kernel."""

from phase2.report.mastery_check import Check

PART = "Optimization"
OPTIMIZATION: tuple[Check, ...] = (
    Check(
        PART,
        "conceptual",
        "Momentum as an average of gradients and as a second-order recursion; its best setting on a quadratic",
        derivations=("momentum", "quadratic_momentum"),
        figures=("optimizer_paths/descent_paths",),
    ),
    Check(
        PART,
        "conceptual",
        "Nesterov's look-ahead, in its own form and in that of the code",
        derivations=("nesterov",),
        figures=("optimizer_paths/descent_paths",),
    ),
    Check(
        PART,
        "conceptual",
        "Adaptive rates: RMSprop, Adagrad, Adam and why it corrects its bias",
        derivations=("rmsprop", "adam"),
        figures=("optimizers/lr_sensitivity",),
    ),
    Check(
        PART,
        "conceptual",
        "L2 and decoupled decay are one thing for SGD and two for Adam",
        derivations=("weight_decay",),
        figures=("weight_decay/decay_map",),
    ),
    Check(
        PART,
        "conceptual",
        "What a schedule does to the rate, and to the noise at the end",
        derivations=("schedules",),
        figures=("schedules/budget_curves",),
    ),
    Check(
        PART,
        "conceptual",
        "The kernel that drives training, and why wide networks stay linear",
        derivations=("tangent_kernel",),
        figures=("kernel_regime/ntk_convergence", "kernel_regime/ntk_training"),
    ),
    Check(
        PART,
        "coding",
        "SGD, RMSprop, Adagrad, Adam and AdamW, equal to torch's for every flag, one or many tensors at a time",
        tests=(
            "tests/optim/test_optimizers_match_torch.py::test_200_steps_match_torch_for_every_flag_and_pair_of_flags",
            "tests/optim/test_optimizer_states.py::test_state_dicts_load_both_ways_with_torch",
            "tests/optim/test_optimizer_lanes.py::test_each_lane_equals_its_own_run_for_every_flag_and_pair_of_flags",
        ),
    ),
    Check(
        PART,
        "coding",
        "Schedules as functions of the step, composed, with cycled momentum",
        tests=(
            "tests/schedules/test_schedules_match_torch.py::test_schedule_matches_torch_at_every_step",
            "tests/schedules/test_schedules_match_torch.py::test_momentum_cycles_as_in_torch",
            "tests/schedules/test_schedule_composition.py::test_sequence_matches_sequential_lr",
            "tests/schedules/test_schedule_formulas.py::test_inverse_sqrt_is_equation_3_of_vaswani_and_others",
        ),
    ),
    Check(
        PART,
        "coding",
        "Clipping by norm and by value, by lane, and safe where a gradient is not finite",
        tests=("tests/optim/test_clip.py::test_a_lane_of_nonfinite_norm_gets_zero_gradients_if_asked",),
        figures=("clipping/lr_sensitivity",),
    ),
    Check(
        PART,
        "research",
        "Which optimizer and which rate, at equal tuning budgets; learning curves, not final scores alone",
        figures=("optimizers/lr_sensitivity", "optimizers/best_curves", "rate_range/range_test"),
    ),
    Check(
        PART,
        "research",
        "Schedules against the budget, and what restarts cost",
        figures=("schedules/budget_curves", "schedules/best_curves", "restarts/best_curves"),
    ),
    Check(
        PART,
        "research",
        "The best rate and the noise of the gradient against the batch size",
        figures=("batch_sizes/lr_sensitivity", "solutions/curvature"),
    ),
    Check(
        PART,
        "research",
        "Paths of optimizers from one start",
        figures=("optimizer_paths/trajectories",),
    ),
    Check(
        PART,
        "research",
        "The loss around solutions, the way between them, and the edge of stability",
        figures=(
            "landscapes/landscape_planes",
            "landscapes/landscape_lines",
            "stability/edge_of_stability",
            "stability/hessian_spectrum",
        ),
    ),
)
