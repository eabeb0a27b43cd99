"""Remote machines: one source mirrored by clients over any byte stream.

`Server` shows a machine to one client, `Mux` to many; `Client` keeps a `NetworkMachine` that
mirrors it. Import from the modules: nothing is loaded here, since browsers pay for every import.
"""
