"""The debugger: what every machine did, step by step, and why. Nothing here draws or runs."""
