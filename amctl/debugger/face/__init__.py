"""The debugger's face in a terminal, by Textual; everything it shows comes from the core."""
