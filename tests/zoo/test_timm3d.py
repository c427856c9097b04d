"""Networks of timm-3d as encoders: more than a dozen families, and what cannot serve."""

import os
import subprocess
import sys

import pytest
import torch
from biomark import zoo
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo.exporting import exported, scripted
from biomark.zoo.timm3d import Timm3dEncoder

# One small member of each family.
FAMILIES = [
    "resnet10t",
    "seresnet18",
    "resnetblur18",
    "convnext_atto",
    "convnextv2_atto",
    "efficientnet_lite0",
    "tf_efficientnet_lite0",
    "tinynet_e",
    "mobilenetv2_035",
    "mnasnet_small",
    "semnasnet_050",
    "spnasnet_100",
    "fbnetc_100",
    "mixnet_s",
    "densenet121",
]
# Compiling takes longer than all else, so one of each way of giving feature maps is compiled.
SCRIPTED = {"resnet10t", "convnext_atto", "mobilenetv2_035"}
# Its padding depends on the input's size, which TorchScript cannot read.
NOT_SCRIPTABLE = {"tf_efficientnet_lite0"}


def volumes(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def network(name, **options):
    torch.manual_seed(0)
    return zoo.create_model(f"timm3d/{name}", **{"decoder_width": 2, **options})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_serves_both_tasks(name):
    model = network(name, refinement_passes=1)
    output = model(volumes(2, 1, 33, 32, 33))
    assert output.logits.shape == (2, 3) and output.segmentation.shape == (2, 1, 33, 32, 33)
    (output.logits.square().sum() + output.segmentation.sum()).backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None]
    assert silent == []
    model.eval()
    x = volumes(1, 1, 32, 32, 32)
    with torch.no_grad():
        single = zoo.build_network(model.encoder, task="single-task", n_labels=2).eval()(x)
        assert single.logits.shape == (1, 2) and single.segmentation is None
        expected = model(x)
        assert torch.equal(expected.logits, model(x).logits)
        if name in NOT_SCRIPTABLE:
            with pytest.raises(RuntimeError):
                scripted(model)
        if name in SCRIPTED:
            for found, wanted in zip(scripted(model)(x), expected, strict=True):
                torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto"])
def test_an_export_gives_the_same_numbers(name):
    model = network(name).eval()
    program = exported(model, volumes(2, 1, 32, 32, 32))
    x = volumes(3, 1, 32, 32, 32, seed=1)
    for found, expected in zip(program.module()(x), model(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_channels_and_reductions_are_those_of_the_maps():
    encoder = Timm3dEncoder("convnext_atto", in_channels=2).eval()
    assert (encoder.channels, encoder.reductions) == ((40, 80, 160, 320), (4, 8, 16, 32))
    maps = encoder(volumes(1, 2, 64, 64, 64))
    assert [m.shape[1:3] for m in maps] == [(40, 16), (80, 8), (160, 4), (320, 2)]


def test_a_network_that_fails_in_three_dimensions_says_so_by_name():
    with pytest.raises(
        BiomarkError, match=r"timm3d/maxvit_pico_rw_256 cannot serve as an encoder: it fails on"
    ):
        network("maxvit_pico_rw_256")


def test_an_unknown_option_says_so_by_name():
    with pytest.raises(BiomarkError, match=r"timm3d/resnet10t cannot serve as an encoder: .*no_such_option"):
        network("resnet10t", no_such_option=3)


def test_an_unknown_name_lists_close_ones():
    with pytest.raises(
        BiomarkError, match=r"no model 'timm3d/convnext_tinny'; close ones are timm3d/convnext_tiny"
    ):
        network("convnext_tinny")


def test_names_are_listed_only_when_asked():
    names = zoo.list_models("convnext_tiny", timm=True)
    assert "timm3d/convnext_tiny" in names and zoo.list_models("convnext_tiny") == []


def test_nothing_is_printed_or_warned():
    code = "from biomark import zoo; zoo.create_model('timm3d/resnet10t', task='single-task')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_local_file_of_weights_is_loaded(tmp_path):
    # From two dimensions and three channels, as the weights that are shared are.
    import timm
    from safetensors.torch import save_file

    flat = timm.create_model("resnet10t")
    save_file(flat.state_dict(), tmp_path / "flat.safetensors")
    encoder = Timm3dEncoder("resnet10t", weights=tmp_path / "flat.safetensors")
    ours, theirs = encoder.network.state_dict(), flat.state_dict()
    kernel = theirs["layer1.0.conv1.weight"]
    expected = torch.stack([kernel] * 3, dim=-1) / 3
    torch.testing.assert_close(ours["layer1.0.conv1.weight"], expected)
    torch.testing.assert_close(ours["layer2.0.bn1.running_var"], theirs["layer2.0.bn1.running_var"])
    stem = theirs["conv1.0.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(ours["conv1.0.weight"], torch.stack([stem] * 3, dim=-1) / 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_local_file_of_three_dimensional_weights_is_loaded(channels, tmp_path):
    import timm_3d

    theirs = timm_3d.create_model("convnext_atto", in_chans=channels).state_dict()
    torch.save(theirs, tmp_path / "solid.pt")
    ours = Timm3dEncoder("convnext_atto", weights=tmp_path / "solid.pt").network.state_dict()
    # timm-3d writes some dots as underscores where it gives feature maps.
    theirs = {name.replace(".", "_"): tensor for name, tensor in theirs.items()}
    theirs["stem_0_weight"] = theirs["stem_0_weight"].sum(1, keepdim=True)
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name.replace(".", "_")], msg=name)
    del theirs["stages_1_blocks_0_conv_dw_weight"]
    torch.save(theirs, tmp_path / "short.pt")
    with pytest.raises(InputFileError, match=r"short\.pt: does not fit timm3d/convnext_atto: holds no"):
        Timm3dEncoder("convnext_atto", weights=tmp_path / "short.pt")


def test_weights_are_downloaded_only_when_asked(monkeypatch):
    import timm

    flat = timm.create_model("resnet10t")
    asked = []
    monkeypatch.setattr(
        timm, "create_model", lambda name, pretrained: asked.append((name, pretrained)) or flat
    )
    assert Timm3dEncoder("resnet10t") is not None and asked == []
    encoder = Timm3dEncoder("resnet10t", pretrained=True)
    assert asked == [("resnet10t", True)]
    kernel = flat.state_dict()["layer1.0.conv1.weight"]
    found = encoder.network.state_dict()["layer1.0.conv1.weight"]
    torch.testing.assert_close(found, torch.stack([kernel] * 3, dim=-1) / 3)


def test_a_download_that_fails_says_so_and_what_to_do():
    code = "from biomark import zoo; zoo.create_model('timm3d/resnet10t', pretrained=True)"
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": os.devnull}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=offline)
    last = done.stderr.strip().splitlines()[-1]
    assert "the weights of timm3d/resnet10t cannot be downloaded" in last and "weights=FILE" in last


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"nothing.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(InputFileError, match=r"other\.pt: does not fit timm3d/resnet10t"):
        network("resnet10t", weights=tmp_path / "other.pt")


def test_weights_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputFileError, match="there is no such file of weights"):
        network("resnet10t", weights=tmp_path / "none.pt")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    import pickle

    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "harm.pt").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(InputFileError):
        network("resnet10t", weights=tmp_path / "harm.pt")
    assert not (tmp_path / "ran").exists()


def test_a_file_and_a_download_exclude_each_other(tmp_path):
    with pytest.raises(BiomarkError, match="exclude each other"):
        network("resnet10t", weights=tmp_path / "w.pt", pretrained=True)
