"""The registry: names, builders, what is refused, and what asking for a name loads."""

import subprocess
import sys

import pytest
from biomark import zoo
from biomark.errors import BiomarkError, MissingExtraError
from biomark.zoo.registry import TASKS, model_record

OWN = ["resnet10_3d", "resnet18_3d", "resnet34_3d", "resnet50_3d"]


@pytest.fixture
def scratch():
    """Names entered by a test, removed after it."""
    from biomark.zoo import registry

    before = dict(registry._RECORDS)
    yield
    registry._RECORDS.clear()
    registry._RECORDS.update(before)


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout


def without(*packages):
    """Code that makes an import of the packages fail as if they were not installed."""
    return (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {packages!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )


def test_own_models_are_listed():
    assert zoo.list_models() == OWN
    assert zoo.list_models("18") == ["resnet18_3d"]


def test_every_record_says_what_the_model_is():
    for name in zoo.list_models():
        record = model_record(name)
        assert record.name == name and record.tasks == TASKS and record.summary.endswith(".")


def test_an_unknown_name_lists_close_ones():
    with pytest.raises(BiomarkError, match=r"no model 'resnet50'; close ones are resnet50_3d"):
        zoo.create_model("resnet50")


def test_a_name_like_none_lists_what_there_is():
    with pytest.raises(BiomarkError, match=r"there are resnet10_3d, .*timm3d/<name>"):
        zoo.create_model("unheard")


def test_an_unknown_task_is_refused():
    with pytest.raises(BiomarkError, match=r"task must be one of single-task, multi-task; found 'both'"):
        zoo.create_model("resnet10_3d", task="both")


def test_an_unknown_option_lists_those_there_are():
    with pytest.raises(BiomarkError, match="'refinement_passes' for single-task; there are dropout"):
        zoo.create_model("resnet10_3d", task="single-task", refinement_passes=2)


@pytest.mark.parametrize("labels", [(), ("ER", "ER"), ("ER", 1)])
def test_labels_are_different_names(labels):
    with pytest.raises(BiomarkError, match="labels must be different names"):
        zoo.create_model("resnet10_3d", labels=labels)


def test_a_model_carries_its_labels_task_and_name():
    model = zoo.create_model("resnet10_3d", task="single-task", labels=["Ki67", "p53"], width=4)
    assert (model.labels, model.task, model.name) == (("Ki67", "p53"), "single-task", "resnet10_3d")
    assert model.classifier.out_features == 2


@pytest.mark.usefixtures("scratch")
def test_a_registered_builder_is_created_by_its_name():
    from biomark.zoo.resnet import BasicBlock, ResNetEncoder

    @zoo.register("tiny", tasks=["single-task"])
    def tiny(*, task, n_labels, in_channels):
        """Be small."""
        encoder = ResNetEncoder(BasicBlock, (1, 1, 1, 1), in_channels=in_channels, width=2)
        return zoo.build_network(encoder, task=task, n_labels=n_labels)

    assert "tiny" in zoo.list_models()
    assert model_record("tiny").summary == "Be small."
    assert zoo.create_model("tiny", task="single-task", in_channels=2).encoder.channels[0] == 2
    with pytest.raises(BiomarkError, match="tiny serves single-task, not multi-task"):
        zoo.create_model("tiny")


@pytest.mark.usefixtures("scratch")
def test_a_taken_name_is_refused():
    with pytest.raises(BiomarkError, match=r"'resnet10_3d' is taken by biomark\.zoo\.resnet\.resnet10_3d"):

        @zoo.register("resnet10_3d")
        def other(**options):
            return None


@pytest.mark.parametrize("name", ["", "timm3d/mine"])
def test_a_name_of_the_prefix_is_refused(name):
    with pytest.raises(BiomarkError, match="must not be empty or begin with timm3d/"):
        zoo.register(name)


def test_the_front_door_of_the_zoo_loads_neither_torch_nor_numpy():
    loaded = run("import sys, biomark.zoo; print(*sys.modules)").split()
    assert not {"torch", "numpy", "pandas", "SimpleITK", "timm_3d"} & set(loaded)


def test_own_models_do_not_load_timm():
    loaded = run(
        "import sys; from biomark import zoo; zoo.create_model('resnet10_3d', width=4); print(*sys.modules)"
    )
    assert not {"timm", "timm_3d", "torchvision"} & set(loaded.split())


def test_without_torch_the_extra_is_named():
    told = run(
        without("torch") + "from biomark import zoo\nfrom biomark.errors import MissingExtraError\n"
        "for call in (lambda: zoo.create_model('resnet10_3d'), zoo.list_models, lambda: zoo.augment):\n"
        "    try:\n        call()\n    except MissingExtraError as error:\n        print(error)"
    )
    assert told.count("pip install 'biomark[zoo]'") == 3


def test_without_timm_the_extra_is_named():
    told = run(
        without("timm_3d") + "from biomark import zoo\nfrom biomark.errors import MissingExtraError\n"
        "try:\n    zoo.create_model('timm3d/resnet18')\nexcept MissingExtraError as error:\n    print(error)"
    )
    assert told.startswith("a model of timm-3d needs packages that are not installed")
    assert issubclass(MissingExtraError, ValueError)


def test_all_names_of_the_front_door_are_there():
    for name in zoo.__all__:
        assert getattr(zoo, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = zoo.nothing
