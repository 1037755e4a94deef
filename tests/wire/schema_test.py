#!/usr/bin/env python3
"""Holds our OTLP schema files against the published opentelemetry-proto package, field by field.

    schema_test.py DESCRIPTOR_SET

DESCRIPTOR_SET is what protoc makes of proto/. Compared are files, messages, fields (name, number,
type, label, oneof, presence, packing, JSON name), oneofs, enums, reserved numbers and names, and
services. Comments and options for other languages are not. Needs: pip install opentelemetry-proto.
"""

import importlib
import os
import pathlib
import sys

try:
    from google.protobuf import descriptor_pb2
except ImportError:
    # What scripts/install_deps.sh made, wherever CMake found its own Python.
    cache = os.environ.get("WEIR_TEST_CACHE") or pathlib.Path.home() / ".cache" / "weir-tests"
    python = pathlib.Path(cache) / "venv" / "bin" / "python"
    if not python.exists() or pathlib.Path(sys.prefix) == python.parents[1]:
        sys.exit("needs the package opentelemetry-proto: run scripts/install_deps.sh test")
    os.execv(python, [str(python), *sys.argv])

MODULES = (
    "common.v1.common",
    "resource.v1.resource",
    "trace.v1.trace",
    "metrics.v1.metrics",
    "logs.v1.logs",
    "collector.trace.v1.trace_service",
    "collector.metrics.v1.metrics_service",
    "collector.logs.v1.logs_service",
)


def field_facts(field, message):
    is_packed = None
    if field.options.HasField("packed"):
        is_packed = field.options.packed
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
    return {
        "number": field.number,
        "type": descriptor_pb2.FieldDescriptorProto.Type.Name(field.type),
        "type_name": field.type_name,
        "label": descriptor_pb2.FieldDescriptorProto.Label.Name(field.label),
        "oneof": oneof,
        "explicit presence": field.proto3_optional,
        "packed": is_packed,
        "deprecated": field.options.deprecated,
        # protoc fills it in; a package built without it means the default.
        "json name": field.json_name or json_name(field.name),
    }


def json_name(name):
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def enum_facts(enum, path, facts):
    facts[path] = {"kind": "enum", "reserved": sorted((r.start, r.end) for r in enum.reserved_range)}
    for value in enum.value:
        facts[f"{path}.{value.name}"] = {"value": value.number}


def message_facts(message, path, facts):
    facts[path] = {
        "kind": "message",
        "oneofs": sorted(oneof.name for oneof in message.oneof_decl),
        "reserved": sorted((r.start, r.end) for r in message.reserved_range),
        "reserved names": sorted(message.reserved_name),
    }
    for field in message.field:
        facts[f"{path}.{field.name}"] = field_facts(field, message)
    for nested in message.nested_type:
        message_facts(nested, f"{path}.{nested.name}", facts)
    for enum in message.enum_type:
        enum_facts(enum, f"{path}.{enum.name}", facts)


def file_facts(file):
    """Everything we compare, as {path: {property: value}}."""
    facts = {file.name: {"package": file.package, "syntax": file.syntax,
                         "imports": sorted(file.dependency)}}
    for message in file.message_type:
        message_facts(message, f"{file.package}.{message.name}", facts)
    for enum in file.enum_type:
        enum_facts(enum, f"{file.package}.{enum.name}", facts)
    for service in file.service:
        for method in service.method:
            facts[f"{file.package}.{service.name}.{method.name}"] = {
                "input": method.input_type, "output": method.output_type,
                "streams": (method.client_streaming, method.server_streaming)}
    return facts


def published():
    for module in MODULES:
        generated = importlib.import_module(f"opentelemetry.proto.{module}_pb2")
        file = descriptor_pb2.FileDescriptorProto()
        generated.DESCRIPTOR.CopyToProto(file)
        yield file


def differences(ours, theirs):
    for path in sorted(ours.keys() | theirs.keys()):
        if path not in ours:
            yield f"{path}: missing here"
        elif path not in theirs:
            yield f"{path}: not in the published schema"
        else:
            for key, value in theirs[path].items():
                if ours[path].get(key) != value:
                    yield f"{path}: {key} is {ours[path].get(key)}, published is {value}"


def main():
    with open(sys.argv[1], "rb") as file:
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    ours, theirs = {}, {}
    for file in descriptors.file:
        ours.update(file_facts(file))
    for file in published():
        theirs.update(file_facts(file))
    found = list(differences(ours, theirs))
    print("\n".join(found))
    print(f"{len(theirs)} definitions compared, {len(found)} differences")
    return 1 if found or len(theirs) < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
