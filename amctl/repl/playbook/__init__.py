"""Playbooks: what is to be done with which machines, written down as YAML, run or simulated."""
