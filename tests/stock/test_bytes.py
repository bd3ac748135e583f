"""Files: the reader of the stock package accepts every byte, and values have the form that other tools read."""

from pathlib import Path

import numpy as np
import pytest
from harness import runs_of
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2, summary_pb2, types_pb2
from tensorboard.util import tensor_util


def files(directory: Path) -> list[Path]:
    """The event files of a directory. Embeddings have other files."""
    return sorted(file for file in directory.rglob("*tfevents*") if file.is_file())


def events(directory: Path) -> list[event_pb2.Event]:
    """The events of the only file of a run, without the version record."""
    [file] = [file for file in directory.iterdir() if file.is_file()]
    return list(event_file_loader.LegacyEventFileLoader(str(file)).Load())[1:]


def values(directory: Path, tag: str) -> list[summary_pb2.Summary.Value]:
    return [value for event in events(directory) for value in event.summary.value if value.tag == tag]


def test_both_checksums_of_every_record(log):
    assert len(files(log)) == len(runs_of(log)) + 1, "one for each run, two for the twins"
    for file in files(log):
        # The reader checks both checksums. If one is wrong, it ends silently.
        records = list(event_file_loader.RawEventFileLoader(str(file)).Load())
        assert sum(16 + len(record) for record in records) == file.stat().st_size, file


def test_first_record_of_every_file(log):
    for file in files(log):
        first = next(event_file_loader.LegacyEventFileLoader(str(file)).Load())
        assert first.file_version == "brain.Event:2", file
        assert first.source_metadata.writer.startswith("summary-writer "), file
        assert first.wall_time > 1_600_000_000, file


def test_plain_scalar_is_a_simple_value(log):
    for event in events(log / "plain"):
        [value] = event.summary.value
        assert value.WhichOneof("value") == "simple_value"
        assert not value.HasField("metadata")


def test_described_scalar_is_a_tensor_with_metadata(log):
    described = values(log / "descriptions", "loss")
    assert [float(tensor_util.make_ndarray(value.tensor)) for value in described] == [0.0, 0.5, 1.0]
    for value in described:
        assert value.tensor.dtype == types_pb2.DT_FLOAT
        assert not value.tensor.tensor_shape.dim
    assert described[0].metadata == summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars"),
        data_class=summary_pb2.DATA_CLASS_SCALAR,
        display_name="Mean loss",
        summary_description="**mean** over the batch",
    )


def test_values_of_one_event_share_a_record(log):
    assert [(event.step, len(event.summary.value)) for event in events(log / "together")] == [
        (step, 10) for step in range(5)
    ]


@pytest.mark.parametrize(
    ("run", "tag"),
    [("text", "report"), ("text", "a tag/with spaces"), ("scopes", "encoder/notes")],
)
def test_text_is_a_string_of_rank_0(log, run, tag):
    for value in values(log / run, tag):
        assert value.tensor.dtype == types_pb2.DT_STRING
        assert not value.tensor.tensor_shape.dim
        assert len(value.tensor.string_val) == 1
    metadata = values(log / run, tag)[0].metadata
    assert metadata.plugin_data.plugin_name == "text"
    assert metadata.data_class == summary_pb2.DATA_CLASS_TENSOR


def test_tensor_keeps_the_description_of_its_tag(log):
    [value] = values(log / "descriptions", "described/tensor")
    assert value.metadata.summary_description == "a *table*"
    assert value.metadata.plugin_data.plugin_name == "text"


@pytest.mark.parametrize("name", ["f16", "f32", "f64"])
def test_tensors_of_floats(log, name):
    [value] = values(log / "tensors", f"elements/{name}")
    got = tensor_util.make_ndarray(value.tensor)
    kind = np.dtype(name.replace("f", "float"))
    assert got.dtype == kind
    info = np.finfo(kind)
    assert got.tolist() == [[info.min, info.max, 1.0], [0.0, info.smallest_normal, info.min]]
    assert np.signbit(got).tolist() == [[True, False, False], [True, False, True]]


def test_tensors_of_bfloat16(log):
    [value] = values(log / "tensors", "elements/bf16")
    assert value.tensor.dtype == types_pb2.DT_BFLOAT16
    assert [dim.size for dim in value.tensor.tensor_shape.dim] == [2, 3]
    # Without TensorFlow, the stock package makes no array of this type. It is the upper half of a float32.
    halves = np.frombuffer(value.tensor.tensor_content, "<u2")
    got = (halves.astype(np.uint32) << 16).view(np.float32)
    largest = float.fromhex("0x1.FEp127")
    assert got.tolist() == [-largest, largest, 1.0, 0.0, 2.0**-126, -largest]
    assert np.signbit(got).tolist() == [True, False, False, True, False, True]


@pytest.mark.parametrize("name", ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"])
def test_tensors_of_integers(log, name):
    [value] = values(log / "tensors", f"elements/{name}")
    got = tensor_util.make_ndarray(value.tensor)
    kind = np.dtype(name.replace("i", "int").replace("u", "uint"))
    assert got.dtype == kind
    info = np.iinfo(kind)
    assert got.tolist() == [[info.min, info.max, 1], [0, 99, info.min]]


def test_tensors_of_bools(log):
    [value] = values(log / "tensors", "elements/bool")
    got = tensor_util.make_ndarray(value.tensor)
    assert got.dtype == bool
    assert got.tolist() == [[False, True, True], [False, True, False]]
