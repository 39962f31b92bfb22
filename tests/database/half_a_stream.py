"""Stands in for the query process in one test: a stream without its end, and no last word."""

from __future__ import annotations

import os
import sys

import pyarrow as pa


def main() -> None:
    sys.stdin.buffer.readline()
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"n": [1]})
    stream = pa.ipc.new_stream(sink, batch.schema)
    stream.write_batch(batch)
    os.write(1, sink.getvalue())
