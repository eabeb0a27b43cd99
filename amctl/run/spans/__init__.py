"""Spans of a run: taken in over OTLP/HTTP, kept as lines of OTLP JSON, sent on if asked for."""
