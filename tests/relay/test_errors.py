from __future__ import annotations

import pickle

from amctl.relay import BindError, PortInUseError, RefusedError, RelayError, TargetError


def test_errors_are_what_users_expect_them_to_be() -> None:
    assert issubclass(PortInUseError, BindError)
    assert issubclass(BindError, OSError)
    assert issubclass(TargetError, ValueError)
    assert all(issubclass(kind, RelayError) for kind in (BindError, TargetError, RefusedError))


def test_port_in_use_says_what_to_do() -> None:
    error = PortInUseError("localhost", 14050)
    assert str(error) == "port 14050 on localhost is in use"
    assert error.hint == "stop what listens on localhost:14050, or choose another port (0 for any)"
    assert PortInUseError("localhost", 1, "try 2").hint == "try 2"


def test_bind_error_survives_a_pickle() -> None:
    error = pickle.loads(pickle.dumps(PortInUseError("localhost", 14050)))
    assert (error.host, error.port) == ("localhost", 14050)


def test_refusal_has_a_close_code_that_tells_its_status() -> None:
    assert RefusedError(409, "no").code == 4409
    assert RefusedError(503, "no", code=1013).code == 1013
    assert str(RefusedError(409, "no")) == "no"
