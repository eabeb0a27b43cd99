"""The prepackaged Jaeger: a local program if there is one, else a container."""
