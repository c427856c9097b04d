"""The table of models."""

import torch
from biomark import zoo
from biomark.zoo.model_summary import n_flops, n_parameters


def test_the_table_has_a_row_for_each_model_and_task():
    table = zoo.model_table(size=32)
    assert list(table.columns) == [
        "model",
        "task",
        "parameters",
        "flops",
        "features",
        "scriptable",
        "summary",
    ]
    assert table[["model", "task"]].apply(tuple, axis=1).is_unique and len(table) == 8
    assert table["scriptable"].all()
    assert table.set_index(["model", "task"]).loc[("resnet50_3d", "single-task"), "features"] == 2048


def test_a_model_of_timm_has_its_row_too():
    (row,) = (
        zoo.model_table(["timm3d/convnext_atto"], size=64).query("task == 'multi-task'").to_dict("records")
    )
    assert row["features"] == 320 and row["scriptable"] and row["flops"] > 0


def test_operations_of_a_convolution_are_counted_by_hand():
    model = torch.nn.Conv3d(2, 5, 3, padding=1, bias=False)
    assert n_parameters(model) == 5 * 2 * 27
    assert n_flops(model, size=8, in_channels=2) == 2 * 8**3 * 5 * 2 * 27


def test_each_refinement_pass_costs_an_encoder_and_a_decoder():
    def cost(passes):
        with torch.device("meta"):
            return n_flops(zoo.create_model("resnet10_3d", refinement_passes=passes), size=32)

    assert cost(3) - cost(2) == cost(2) - cost(1) > 0
