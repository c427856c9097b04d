"""Settings: read from YAML, refused by name, written whole."""

import pytest
import yaml
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo.augmentation import Augmentation
from biomark.zoo.preprocessing import Preprocessing
from biomark.zoo.training_config import TrainingConfig, config_from_dict, read_config

PLACES = {"cohort": "cohort.csv", "out": "runs/one"}


def test_the_papers_settings_are_those_of_its_text():
    config = read_config("paper", **PLACES)
    assert (config.model, config.task, config.epochs, config.batch_size) == (
        "resnet50_3d",
        "multi-task",
        250,
        8,
    )
    assert config.learning_rate == 1e-3 and config.preprocessing.size == 128
    assert config.augmentation == Augmentation()


def test_the_papers_settings_are_the_defaults():
    paper, default = read_config("paper", **PLACES).to_dict(), TrainingConfig(**PLACES).to_dict()
    assert paper.pop("model_options") == {"refinement_passes": 2} and default.pop("model_options") == {}
    assert paper == default


def test_what_is_written_is_read_back(tmp_path):
    config = TrainingConfig(
        **PLACES,
        labels=("ER",),
        model_options={"width": 8},
        preprocessing=Preprocessing(size=(32, 40, 48), crop="none"),
        augmentation=None,
        pos_weight=(2.0,),
        clip_norm=1.0,
    )
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert read_config(tmp_path / "config.yaml") == config
    assert set(yaml.safe_load(config.to_yaml())) == set(config.to_dict())


def test_settings_given_go_over_those_of_the_file():
    assert read_config("paper", **PLACES, epochs=3, seed=None).epochs == 3


def test_one_file_serves_both_networks(tmp_path):
    (tmp_path / "c.yaml").write_text("model_options: {width: 8, decoder_width: 4, refinement_passes: 3}\n")
    assert read_config(tmp_path / "c.yaml", **PLACES, task="single-task").model_options == {"width": 8}
    assert len(read_config(tmp_path / "c.yaml", **PLACES, task="multi-task").model_options) == 3
    assert read_config("paper", **PLACES, task="single-task").model_options == {}


def test_a_rate_without_a_point_is_a_number(tmp_path):
    (tmp_path / "c.yaml").write_text("learning_rate: 1e-4\n")
    assert read_config(tmp_path / "c.yaml", **PLACES).learning_rate == 1e-4


def test_all_unknown_settings_are_told_at_once(tmp_path):
    (tmp_path / "c.yaml").write_text("epoch: 3\npreprocessing: {sise: 3}\n")
    with pytest.raises(
        InputFileError, match=r"(?s)no setting 'epoch'; close ones are epochs.*no setting 'sise'"
    ):
        read_config(tmp_path / "c.yaml", **PLACES)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"learning_rate": "fast"}, "could not convert"),
        ({"schedule": "step"}, "schedule must be one of constant, cosine"),
        ({"ema": 1.0}, "ema must lie strictly between 0 and 1"),
        ({"pos_weight": "heavy"}, "pos_weight must be one of balanced"),
        ({"pos_weight": [1.0, 0.0]}, "pos_weight must be above 0"),
        ({"accumulation": 9}, r"accumulation must be at most batch_size \(8\)"),
        ({"precision": "fp8"}, "precision must be one of auto, fp32, bf16, fp16"),
        ({"preprocessing": 128}, "must be names with values"),
        ({"cohort": ""}, "cohort must be named"),
    ],
)
def test_what_cannot_be_is_refused(settings, told):
    with pytest.raises(BiomarkError, match=told):
        config_from_dict({**PLACES, **settings})


@pytest.mark.parametrize(
    ("text", "told"), [("- 1\n", "must hold names with values"), ("a: [", "is not YAML")]
)
def test_another_file_is_refused(tmp_path, text, told):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputFileError, match=told):
        read_config(tmp_path / "c.yaml", **PLACES)


def test_a_file_that_is_not_there_names_those_that_come_along():
    with pytest.raises(InputFileError, match="configurations that come with biomark: paper"):
        read_config("papers", **PLACES)


def test_settings_that_only_say_where_do_not_part_two_runs():
    one = TrainingConfig(**PLACES)
    assert one.differences(TrainingConfig("other.csv", "runs/two", device="cpu", checkpoint_every=5)) == []
    assert one.differences(TrainingConfig(**PLACES, seed=1, epochs=3)) == ["epochs", "seed"]
