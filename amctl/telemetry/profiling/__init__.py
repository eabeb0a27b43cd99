"""Where a thread's Python spends its time: samples taken inside, named after handlers."""
