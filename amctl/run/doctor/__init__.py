"""Looks at everything that a run needs, changes nothing, and says how to mend what is wrong."""
