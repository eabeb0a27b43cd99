"""The commands, one module a group; `amctl.repl.registry` holds them all."""
