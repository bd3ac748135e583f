"""Protobuf: the messages in `proto/*.proto` are those of the stock package and of the package `onnx`, with fewer fields."""

import importlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
import tensorboard
from google.protobuf import struct_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc
from harness import REPO
from onnx import onnx_ml_pb2

UNPACKABLE = {
    FieldDescriptorProto.TYPE_STRING,
    FieldDescriptorProto.TYPE_BYTES,
    FieldDescriptorProto.TYPE_MESSAGE,
    FieldDescriptorProto.TYPE_GROUP,
}


def facts(files: Iterable[FileDescriptorProto]) -> dict[str, object]:
    """The properties to compare, for each message, field and enum value, by its full name."""
    found: dict[str, object] = {}

    def add_enum(enum: EnumDescriptorProto, scope: str) -> None:
        name = f"{scope}.{enum.name}"
        found[name] = "enum"
        found.update((f"{name}.{value.name}", value.number) for value in enum.value)

    def add_message(message: DescriptorProto, scope: str, syntax: str) -> None:
        name = f"{scope}.{message.name}"
        found[name] = "message"
        for field in message.field:
            repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
            found[f"{name}.{field.name}"] = {
                "number": field.number,
                "type": FieldDescriptorProto.Type.Name(field.type),
                "type name": field.type_name,
                "label": FieldDescriptorProto.Label.Name(field.label),
                "optional": field.proto3_optional,
                "packed": repeated
                and field.type not in UNPACKABLE
                and (field.options.packed if field.options.HasField("packed") else syntax == "proto3"),
                "oneof": message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None,
            }
        for enum in message.enum_type:
            add_enum(enum, name)
        for nested in message.nested_type:
            add_message(nested, name, syntax)

    for file in files:
        for enum in file.enum_type:
            add_enum(enum, file.package)
        for message in file.message_type:
            add_message(message, file.package, file.syntax)
    return found


def compiled(directory: Path) -> dict[str, object]:
    """The properties of the `.proto` files in a directory."""
    out = directory / "descriptors"
    sources = [file.name for file in sorted(directory.glob("*.proto"))]
    assert protoc.main(["protoc", f"-I{directory}", f"--descriptor_set_out={out}", *sources]) == 0
    return facts(FileDescriptorSet.FromString(out.read_bytes()).file)


def differences(ours: dict[str, object], stock: dict[str, object]) -> list[str]:
    return [f"{name}: ours {ours[name]}, stock {stock.get(name)}" for name in ours if ours[name] != stock.get(name)]


@pytest.fixture(scope="session")
def stock() -> dict[str, object]:
    """The properties of all messages of the stock package, and of the messages of protobuf that it uses."""
    package = Path(tensorboard.__file__).parent
    files = [FileDescriptorProto.FromString(struct_pb2.DESCRIPTOR.serialized_pb)]
    for source in [*package.glob("compat/proto/*_pb2.py"), *package.glob("plugins/**/*_pb2.py")]:
        module = ".".join(source.relative_to(package.parent).with_suffix("").parts)
        file = FileDescriptorProto()
        importlib.import_module(module).DESCRIPTOR.CopyToProto(file)
        files.append(file)
    return facts(files)


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the files of this crate, without the one for ONNX, to compile and to change."""
    return Path(shutil.copytree(REPO / "proto", tmp_path / "proto", ignore=shutil.ignore_patterns("onnx.proto")))


def test_no_difference(copy, stock):
    ours = compiled(copy)
    assert {"tensorboard.Event.wall_time", "tensorboard.TensorProto", "tensorboard.DataType.DT_FLOAT"} <= ours.keys()
    assert differences(ours, stock) == []


def test_onnx_fields_are_the_official_ones(tmp_path):
    shutil.copy(REPO / "proto/onnx.proto", tmp_path)
    file = FileDescriptorProto()
    onnx_ml_pb2.DESCRIPTOR.CopyToProto(file)

    def on_the_wire(found: dict[str, object]) -> dict[str, object]:
        """The properties that the encoding depends on. The official file is proto2, and has `int32` for some enums here."""
        alike = {}
        for name, fact in found.items():
            if isinstance(fact, dict) and fact["type"] in ("TYPE_ENUM", "TYPE_INT32"):
                alike[name] = (fact["number"], "number", fact["label"])
            elif isinstance(fact, dict):
                alike[name] = (fact["number"], fact["type"], fact["type name"], fact["label"])
            else:
                alike[name] = fact
        return alike

    ours = on_the_wire(compiled(tmp_path))
    assert {"onnx.ModelProto.graph", "onnx.TensorProto.raw_data", "onnx.AttributeProto.AttributeType.FLOAT"} <= ours.keys()
    assert differences(ours, on_the_wire(facts([file]))) == []


@pytest.mark.parametrize(
    ("file", "ours", "planted", "found"),
    [
        ("event", "int64 step = 2;", "int64 step = 20;", "Event.step"),
        ("event", "int64 step = 2;", "repeated int64 step = 2;", "Event.step"),
        ("event", "int64 step = 2;", "optional int64 step = 2;", "Event.step"),
        ("event", "double wall_time = 1;", "float wall_time = 1;", "Event.wall_time"),
        ("event", "Summary summary = 5;", "TaggedRunMetadata summary = 5;", "Event.summary"),
        ("event", "string writer = 1;", "string author = 1;", "SourceMetadata.author"),
        ("event", "START = 1;", "START = 5;", "SessionLog.SessionStatus.START"),
        ("event", "START = 1;", "BEGIN = 1;", "SessionLog.SessionStatus.BEGIN"),
        ("summary", "repeated Value value = 1;", "Value value = 1;", "Summary.value"),
        ("summary", "string display_name = 2;", "oneof x { string display_name = 2; }", "SummaryMetadata.display_name"),
        ("tensor", "float_val = 5;", "float_val = 5 [packed = false];", "TensorProto.float_val"),
        ("tensor", "bool unknown_rank = 3;", "bool unknown_rank = 3; bool x = 9;", "TensorShapeProto.x"),
        ("tensor", "DT_HALF = 19;", "DT_HALF = 30;", "DataType.DT_HALF"),
        ("layout", "bool closed = 3;", "bool closed = 4;", "Category.closed"),
        ("mesh", "uint32 components = 7;", "uint64 components = 7;", "mesh.MeshPluginData.components"),
        ("hparams", "google.protobuf.Value>", "string>", "hparams.SessionStartInfo.HparamsEntry.value"),
        ("hparams", "STATUS_FAILURE = 2;", "STATUS_FAILURE = 4;", "hparams.Status.STATUS_FAILURE"),
        ("graph", "map<string, string> ret = 4;", "map<string, bytes> ret = 4;", "FunctionDef.RetEntry.value"),
        ("run_metadata", "int64 all_end_rel_micros = 5;", "int64 all_end_rel_micros = 4;", "NodeExecStats.all_end_rel_micros"),
        ("tensor", "enum DataType {", "message New {} enum DataType {", "New"),
    ],
)
def test_planted_difference_is_found(copy, stock, file, ours, planted, found):
    path = copy / f"{file}.proto"
    text = path.read_text()
    assert text.count(ours) == 1
    path.write_text(text.replace(ours, planted))
    [difference] = differences(compiled(copy), stock)
    assert difference.startswith(f"tensorboard.{found}: ")
