"""Pictures: a graph becomes DOT, SVG, PNG, PDF or a page; a transition becomes a sequence."""
