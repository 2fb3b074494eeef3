"""Decodes OTLP requests with the official messages.

The input has a request in base64 on each line. The output is a list of metrics in JSON. Floating-point
numbers are text, so that they are exact.
"""

import base64
import json
import sys

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)


def check_known(message):
    assert len(UnknownFieldSet(message)) == 0, message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if field.is_repeated else [value]:
                check_known(part)


def attributes(message):
    pairs = []
    for attribute in message:
        kind = attribute.value.WhichOneof("value")
        pairs.append([attribute.key, kind, getattr(attribute.value, kind)])
    names = [name for name, _, _ in pairs]
    assert len(set(names)) == len(names), names
    return pairs


def optional(message, field):
    return repr(getattr(message, field)) if message.HasField(field) else None


def exemplar(message):
    return {
        "time": message.time_unix_nano,
        "value": repr(message.as_double),
        "trace_id": message.trace_id.hex(),
        "span_id": message.span_id.hex(),
        "attributes": attributes(message.filtered_attributes),
    }


def buckets(message):
    return [message.offset, list(message.bucket_counts)]


def point(kind, message):
    fields = {
        "attributes": attributes(message.attributes),
        "start": message.start_time_unix_nano,
        "time": message.time_unix_nano,
        "exemplars": [exemplar(one) for one in message.exemplars],
    }
    if kind in ("sum", "gauge"):
        value = message.WhichOneof("value")
        fields["value"] = [value, repr(getattr(message, value))]
        return fields
    fields["count"] = message.count
    for name in ("sum", "min", "max"):
        fields[name] = optional(message, name)
    if kind == "histogram":
        fields["counts"] = list(message.bucket_counts)
        fields["bounds"] = [repr(bound) for bound in message.explicit_bounds]
    else:
        fields["scale"] = message.scale
        fields["zero_count"] = message.zero_count
        fields["zero_threshold"] = repr(message.zero_threshold)
        fields["positive"] = buckets(message.positive)
        fields["negative"] = buckets(message.negative)
    return fields


def metric(message):
    kind = message.WhichOneof("data")
    data = getattr(message, kind)
    return {
        "name": message.name,
        "help": message.description,
        "unit": message.unit,
        "kind": kind,
        "temporality": 0 if kind == "gauge" else data.aggregation_temporality,
        "is_monotonic": kind == "sum" and data.is_monotonic,
        "points": [point(kind, one) for one in data.data_points],
    }


def decode(line):
    request = ExportMetricsServiceRequest()
    request.ParseFromString(base64.b64decode(line))
    check_known(request)
    (resource_metrics,) = request.resource_metrics
    (scope_metrics,) = resource_metrics.scope_metrics
    assert scope_metrics.scope.name == "tachometer" and scope_metrics.scope.version
    names = [name for name, _, _ in attributes(resource_metrics.resource.attributes)]
    assert "service.name" in names, names
    return [metric(one) for one in scope_metrics.metrics]


print(json.dumps([decode(line) for line in sys.stdin.read().split()]))
