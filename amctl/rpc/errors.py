"""What the network raises.

RpcError
  NotConnectedError    there is no session, and what was asked did not happen (ConnectionError)
  CallTimeoutError     the answer did not come in time; it may still happen (TimeoutError)
  UnknownOutcomeError  the session was lost while the answer was under way
  CallRefusedError     the server refused this call, and did not run it
  QuestionError        a question can't be answered; becomes the refusal of its call (ValueError)
  AnswerError          the answer to a question is not what answers are (ValueError)
  PayloadLostError     the session was lost before the payload was acknowledged
  RefusedByServerError the server refused the client for good (ConnectionError)
  ExposedError         an address would be open to other computers, unencrypted (OSError)
  TlsError             certificate or key can't be used (OSError)
  SourceContractError  a machine lacks the states that serving or consuming needs (TypeError)
"""

from __future__ import annotations

from amctl.rpc.wire.codes import Code

__all__ = [
    "AnswerError",
    "CallRefusedError",
    "CallTimeoutError",
    "ExposedError",
    "NotConnectedError",
    "PayloadLostError",
    "QuestionError",
    "RefusedByServerError",
    "RpcError",
    "SourceContractError",
    "TlsError",
    "UnknownOutcomeError",
    "code_name",
]


def code_name(code: int) -> str:
    """A code's name for people; an unknown one stays a number."""
    try:
        return Code(code).name.lower().replace("_", " ")
    except ValueError:
        return f"code {code}"


class RpcError(Exception):
    """Base of the network's errors."""


class NotConnectedError(RpcError, ConnectionError):
    """There is no connection, and what was asked will not happen."""

    def __init__(self, who: str, what: str) -> None:
        super().__init__(who, what)
        self.who, self.what = who, what

    def __str__(self) -> str:
        return f"{self.who} is not connected: {self.what} was not sent"


class CallTimeoutError(RpcError, TimeoutError):
    """No answer in time. The call was sent and may still run, but it will never run twice."""

    def __init__(self, who: str, what: str, seconds: float) -> None:
        super().__init__(who, what, seconds)
        self.who, self.what, self.seconds = who, what, seconds

    def __str__(self) -> str:
        return f"{self.who}: no answer to {self.what} within {self.seconds:g} s"


class UnknownOutcomeError(RpcError):
    """The session was lost between the call and its answer: it may or may not have run."""

    def __init__(self, who: str, what: str) -> None:
        super().__init__(who, what)
        self.who, self.what = who, what

    def __str__(self) -> str:
        return f"{self.who}: the session was lost before the answer to {self.what}"


class CallRefusedError(RpcError):
    """The server refused this call; nothing ran."""

    def __init__(self, who: str, what: str, code: int, text: str) -> None:
        super().__init__(who, what, code, text)
        self.who, self.what, self.code, self.text = who, what, code, text

    def __str__(self) -> str:
        why = f"{code_name(self.code)}, {self.text}" if self.text else code_name(self.code)
        return f"{self.who}: {self.what} was refused: {why}"


class QuestionError(RpcError, ValueError):
    """A question can't be answered: raised where it is answered, refused to whoever asked.

    Args:
        code: ARGS for parameters that can't be, UNSUPPORTED, TOO_BIG, BUSY.
        text: What is wrong, the value seen, what would be right; the asker gets 1,000 characters.
    """

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text

    def __str__(self) -> str:
        return self.text


class AnswerError(RpcError, ValueError):
    """The server answered a question with something that is no answer; it may have run."""

    def __init__(self, who: str, what: str, problem: str) -> None:
        super().__init__(who, what, problem)
        self.who, self.what, self.problem = who, what, problem

    def __str__(self) -> str:
        return f"{self.who}: the answer to {self.what} can't be read: {self.problem}"


class PayloadLostError(RpcError):
    """The session ended before the client acknowledged: the payload may or may not have arrived."""

    def __init__(self, who: str, name: str) -> None:
        super().__init__(who, name)
        self.who, self.name = who, name

    def __str__(self) -> str:
        return f"{self.who}: payload {self.name!r} was not acknowledged before its session ended"


class RefusedByServerError(RpcError, ConnectionError):
    """The server ended the connection and does not want this client back."""

    def __init__(self, who: str, code: int, text: str) -> None:
        super().__init__(who, code, text)
        self.who, self.code, self.text = who, code, text

    def __str__(self) -> str:
        return f"{self.who} was refused: {code_name(self.code)}, {self.text}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        if self.code == Code.AUTH:
            return "use the token of the running system"
        return "see the server's log"


class SourceContractError(RpcError, TypeError):
    """A machine lacks a state that its role needs."""

    def __init__(self, machine_id: str, role: str, state: str) -> None:
        super().__init__(machine_id, role, state)
        self.machine_id, self.role, self.state = machine_id, role, state

    def __str__(self) -> str:
        return f"machine {self.machine_id!r} can't be a {self.role}: it has no state {self.state}"


class ExposedError(RpcError, OSError):
    """An address would be reachable from other computers, and what passes there readable."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host, self.port = host, port

    def __str__(self) -> str:
        return (
            f"address {self.host}:{self.port} is reachable from other computers, "
            "and nothing there would be encrypted"
        )

    @property
    def hint(self) -> str:
        """What to do about it."""
        return "listen on localhost, give a certificate and its key, or force it in a safe network"


class TlsError(RpcError, OSError):
    """Certificate or key can't be used."""

    def __init__(self, cert: str, key: str, why: str) -> None:
        super().__init__(cert, key, why)
        self.cert, self.key, self.why = cert, key, why

    def __str__(self) -> str:
        files = f"certificate {self.cert!r}" + (f" with key {self.key!r}" if self.key else "")
        return f"{files} can't be used: {self.why}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return "both are PEM files, the key has no password and is the certificate's own"
