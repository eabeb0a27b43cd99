"""The engine: machines of many states, their clocks, relations, handlers and waits."""

from __future__ import annotations

from amctl.machine.args import ERROR_KEY, ACheck, AException, Args, ArgsLike
from amctl.machine.errors import (
    ArgsError,
    BindError,
    DisposedError,
    ForeignThreadError,
    HandlerNameError,
    HandlerResultError,
    HandlerTimeoutError,
    MachineError,
    NestedEvalError,
    RemoteError,
    SchemaError,
    UnknownStateError,
    WaitTimeoutError,
)
from amctl.machine.event import Event, Mutation, Source
from amctl.machine.limits import Limits
from amctl.machine.machine import Machine
from amctl.machine.pipes import PipeRecord, PipeRegistry
from amctl.machine.reads import StatesLike
from amctl.machine.result import CANCELED, EXECUTED, MutationType, Result
from amctl.machine.schema import EXCEPTION, Schema, StateDef
from amctl.machine.signals import Signal, StateContext
from amctl.machine.states import State, States
from amctl.machine.subscriptions import Subscriptions
from amctl.machine.tasks import TaskSet
from amctl.machine.tracer import Hooks, Tracer
from amctl.machine.transition import Transition
from amctl.machine.view import BatchOp, MachineView

__all__ = [
    "CANCELED",
    "ERROR_KEY",
    "EXCEPTION",
    "EXECUTED",
    "ACheck",
    "AException",
    "Args",
    "ArgsError",
    "ArgsLike",
    "BatchOp",
    "BindError",
    "DisposedError",
    "Event",
    "ForeignThreadError",
    "HandlerNameError",
    "HandlerResultError",
    "HandlerTimeoutError",
    "Hooks",
    "Limits",
    "Machine",
    "MachineError",
    "MachineView",
    "Mutation",
    "MutationType",
    "NestedEvalError",
    "PipeRecord",
    "PipeRegistry",
    "RemoteError",
    "Result",
    "Schema",
    "SchemaError",
    "Signal",
    "Source",
    "State",
    "StateContext",
    "StateDef",
    "States",
    "StatesLike",
    "Subscriptions",
    "TaskSet",
    "Tracer",
    "Transition",
    "UnknownStateError",
    "WaitTimeoutError",
]
