"""Prints the bucket of each value that the mapping of the SDK names.

The input is a list of `[scale, values]` in JSON, and so is the output, with indexes.
"""

import json
import sys

from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.exponent_mapping import (
    ExponentMapping,
)
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.logarithm_mapping import (
    LogarithmMapping,
)


def indexes(scale, values):
    mapping = LogarithmMapping(scale) if scale > 0 else ExponentMapping(scale)
    return [mapping.map_to_index(float(value)) for value in values]


print(json.dumps([indexes(scale, values) for scale, values in json.load(sys.stdin)]))
