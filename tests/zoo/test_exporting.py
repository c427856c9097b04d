"""Networks as files: what comes back gives the same numbers."""

import json
import warnings

import pytest
import torch
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo.exporting import export, load_script
from biomark.zoo.preprocessing import Preprocessing
from biomark.zoo.run_folder import load_model
from biomark.zoo.training import fit
from biomark.zoo.training_config import TrainingConfig


@pytest.fixture(scope="module")
def run(tmp_path_factory, toy_volumes):
    folder = tmp_path_factory.mktemp("exporting") / "run"
    config = TrainingConfig(
        cohort="cohort.csv",
        out=str(folder),
        model="resnet10_3d",
        model_options={"width": 2, "decoder_width": 1},
        preprocessing=Preprocessing(size=32),
        epochs=1,
    )
    fit(config, toy_volumes(8, 32, sets=("train", "validation")))
    return folder


@pytest.mark.parametrize("kind", ["torchscript", "torch-export"])
def test_a_file_gives_the_numbers_of_the_network(run, tmp_path, kind):
    written = export(run, tmp_path / "model.any", format=kind)
    assert written.max_difference <= 1e-5 and written.n_volumes == 3 and written.format == kind


def test_a_script_takes_any_size_and_says_what_it_is(run, tmp_path):
    export(run, tmp_path / "model.pt")
    script, facts = load_script(tmp_path / "model.pt")
    assert facts["labels"] == ["ER", "PR", "HER2"] and facts["task"] == "multi-task"
    assert facts["outputs"] == ["logits", "segmentation", "features"]
    assert facts["preprocessing"]["size"] == 32 and facts["preprocessing"]["percentiles"] == [0.5, 99.5]
    x = torch.rand(1, 1, 47, 50, 61)
    for found, expected in zip(script(x), load_model(run)(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_an_exported_program_carries_its_facts(run, tmp_path):
    export(run, tmp_path / "model.pt2", format="torch-export")
    held = {"biomark.json": ""}
    torch.export.load(tmp_path / "model.pt2", extra_files=held)
    assert json.loads(held["biomark.json"])["model"] == "resnet10_3d"


def test_no_warning_is_shown(run, tmp_path):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        export(run, tmp_path / "model.pt")
    assert not seen


def test_onnx_gives_the_numbers_of_the_network_or_names_what_it_needs(run, tmp_path):
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(BiomarkError, match="the format onnx needs the package onnx"):
            export(run, tmp_path / "model.onnx", format="onnx")
        assert not (tmp_path / "model.onnx").exists()
    else:
        assert export(run, tmp_path / "model.onnx", format="onnx").max_difference <= 1e-4


def test_an_unknown_format_is_refused(run, tmp_path):
    with pytest.raises(BiomarkError, match="format must be one of torchscript, torch-export, onnx"):
        export(run, tmp_path / "model", format="keras")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputFileError, match=r"not the folder of a run: there is no config\.yaml"):
        export(tmp_path, tmp_path / "model.pt")


def test_a_file_that_is_no_script_is_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"nothing")
    with pytest.raises(InputFileError, match=r"model\.pt: is no file of TorchScript"):
        load_script(tmp_path / "model.pt")


def test_weights_of_another_network_are_refused(run, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(run, tmp_path / "run")
    tensors = load_file(run / "best.safetensors")
    tensors["other"] = tensors.pop("classifier.bias")
    save_file(tensors, tmp_path / "run" / "best.safetensors")
    with pytest.raises(InputFileError, match=r"(?s)holds no 'classifier.bias'.*holds 'other'"):
        load_model(tmp_path / "run")
    (tmp_path / "run" / "best.safetensors").write_bytes(b"broken")
    with pytest.raises(InputFileError, match="is no file of weights"):
        load_model(tmp_path / "run")
