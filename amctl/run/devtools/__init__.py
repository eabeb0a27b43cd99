"""The debugging door of a browser that a run opened: where it is, and what to ask through it."""
