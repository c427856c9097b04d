"""Cross-entropy that skips missing labels, Dice that skips missing masks."""

import math

import pytest
import torch
from biomark import zoo
from biomark.errors import BiomarkError
from torch.nn import functional

NAN = float("nan")


def logits_of(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def test_without_missing_labels_it_is_the_usual_cross_entropy():
    logits, y = logits_of(5, 3), (logits_of(5, 3, seed=1) > 0).float()
    weight = torch.tensor([0.5, 1.0, 3.0])
    for pos_weight in (None, weight):
        expected = functional.binary_cross_entropy_with_logits(logits, y, pos_weight=pos_weight)
        torch.testing.assert_close(zoo.masked_cross_entropy(logits, y, pos_weight=pos_weight), expected)


def test_a_missing_label_has_gradient_zero_and_the_others_a_mean_of_their_own():
    logits = logits_of(2, 2)
    y = torch.tensor([[1.0, NAN], [NAN, 0.0]])
    loss = zoo.masked_cross_entropy(logits, y)
    loss.backward()
    by_hand = (math.log1p(math.exp(-logits[0, 0].item())) + math.log1p(math.exp(logits[1, 1].item()))) / 2
    assert loss.item() == pytest.approx(by_hand, rel=1e-6)
    assert logits.grad[0, 1] == 0 and logits.grad[1, 0] == 0
    assert (logits.grad[[0, 1], [0, 1]] != 0).all()


def test_a_missing_label_leaves_its_output_unit_alone():
    model = zoo.create_model("resnet10_3d", task="single-task", width=4)
    output = model(torch.rand(2, 1, 40, 40, 40))
    zoo.network_loss(output, torch.tensor([[1.0, NAN, 0.0], [0.0, NAN, 1.0]])).total.backward()
    assert (model.classifier.weight.grad[1] == 0).all() and model.classifier.bias.grad[1] == 0
    assert (model.classifier.weight.grad[0] != 0).any()


def test_all_labels_missing_is_zero_with_zero_gradient():
    logits = logits_of(3, 2)
    loss = zoo.masked_cross_entropy(logits, torch.full((3, 2), NAN))
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()


@pytest.mark.parametrize("size", [1e3, 1e4])
def test_huge_logits_stay_finite(size):
    logits = torch.tensor([[size, -size]], requires_grad=True)
    loss = zoo.masked_cross_entropy(logits, torch.tensor([[0.0, 1.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(size) and logits.grad.isfinite().all()


def test_half_precision_is_summed_in_single():
    logits = torch.full((4096, 3), 12.0, dtype=torch.float16)
    assert zoo.masked_cross_entropy(logits, torch.zeros(4096, 3)).item() == pytest.approx(12.0, rel=1e-4)


def test_parts_of_a_batch_add_up_to_the_loss_of_the_whole():
    logits, map_logits = logits_of(6, 3), logits_of(6, 1, 4, 4, 4, seed=2)
    y = (logits_of(6, 3, seed=1) > 0).float()
    y[0, 0] = y[4, 2] = NAN
    mask = (logits_of(6, 1, 4, 4, 4, seed=3) > 0).float()
    has_mask = torch.tensor([True, False, True, True, True, False])

    def loss(part, **counts):
        output = zoo.Output(logits[part], torch.sigmoid(map_logits[part]), logits[part])
        return zoo.network_loss(output, y[part], mask[part], has_mask[part], **counts).total

    counts = {"n_observed": 16, "n_masks": 4}
    parts = loss(slice(0, 4), **counts) + loss(slice(4, 6), **counts)
    torch.testing.assert_close(parts, loss(slice(None)))


def test_dice_loss_is_the_fraction_of_its_definition():
    p = torch.rand(2, 1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    m = (torch.rand(2, 1, 3, 4, 5, generator=torch.Generator().manual_seed(1)) > 0.5).to(torch.uint8)
    expected = []
    for one, truth in zip(p.tolist(), m.tolist(), strict=True):
        a = [v for d in one[0] for h in d for v in h]
        b = [v for d in truth[0] for h in d for v in h]
        both = sum(x * y for x, y in zip(a, b, strict=True))
        expected.append(1 - (2 * both + 1) / (sum(a) + sum(b) + 1))
    assert zoo.dice_loss(p, m).item() == pytest.approx(sum(expected) / 2, rel=1e-5)


def test_a_volume_without_mask_is_left_out():
    p = torch.rand(2, 1, 4, 4, 4).requires_grad_()
    m = (torch.rand(2, 1, 4, 4, 4) > 0.5).float()
    loss = zoo.dice_loss(p, m, torch.tensor([True, False]))
    loss.backward()
    torch.testing.assert_close(loss, zoo.dice_loss(p[:1], m[:1]))
    assert (p.grad[1] == 0).all() and (p.grad[0] != 0).any()
    assert zoo.dice_loss(p, m, torch.tensor([False, False])).item() == 0


def test_an_empty_mask_with_an_empty_map_costs_nothing():
    empty = torch.zeros(1, 1, 4, 4, 4)
    assert zoo.dice_loss(empty, empty).item() == 0
    assert zoo.dice_loss(empty + 1, empty).item() > 0.9


def test_the_total_weighs_its_parts():
    output = zoo.Output(logits_of(2, 3), torch.rand(2, 1, 4, 4, 4), torch.zeros(2, 8))
    y, mask = torch.zeros(2, 3), torch.ones(2, 1, 4, 4, 4)
    terms = zoo.network_loss(output, y, mask, classification_weight=2.0, segmentation_weight=0.5)
    torch.testing.assert_close(terms.total, 2 * terms.classification + 0.5 * terms.segmentation)


def test_the_single_task_has_no_segmentation_loss():
    terms = zoo.network_loss(zoo.Output(logits_of(2, 3), None, torch.zeros(2, 8)), torch.zeros(2, 3))
    assert terms.segmentation.item() == 0 and torch.equal(terms.total, terms.classification)


def test_positive_weights_balance_the_classes():
    y = torch.tensor([[1.0, 1.0, NAN], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, NAN, 0.0]])
    assert zoo.balanced_pos_weight(y).tolist() == [3.0, 1.0, 2.0]


def test_other_shapes_are_refused():
    with pytest.raises(BiomarkError, match=r"y_true must have the logits' shape \(2, 3\), found \(2, 2\)"):
        zoo.masked_cross_entropy(torch.zeros(2, 3), torch.zeros(2, 2))
    with pytest.raises(BiomarkError, match="mask must have the map's shape"):
        zoo.dice_loss(torch.zeros(1, 1, 4, 4, 4), torch.zeros(1, 4, 4, 4))
