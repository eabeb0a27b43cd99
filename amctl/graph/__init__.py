"""The network of machines: one graph of plain data, from a recording or from live machines."""
