"""Operating machines from outside: one registry of commands for people, scripts and playbooks."""
