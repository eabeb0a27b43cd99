"""The engine: machines of states that are active together, with clocks and relations."""

from amctl.machine.args import Args, ArgsLike
from amctl.machine.errors import (
    ArgsError,
    HandlerNameError,
    MachineError,
    NestedEvalError,
    SchemaError,
    UnknownStateError,
    WaitTimeoutError,
)
from amctl.machine.machine import ERROR_KEY, Machine
from amctl.machine.pipes import PipeRecord, PipeRegistry
from amctl.machine.result import CANCELED, EXECUTED, MutationType, Result
from amctl.machine.schema import EXCEPTION, Schema, State, StateDef, States
from amctl.machine.subscriptions import Signal, StateContext, Subscriptions
from amctl.machine.tasks import TaskSet
from amctl.machine.tracer import Hooks, Tracer
from amctl.machine.transition import Event, Mutation, Source, Transition
from amctl.machine.view import BatchOp, MachineView, StatesLike

__all__ = [
    "CANCELED",
    "ERROR_KEY",
    "EXCEPTION",
    "EXECUTED",
    "Args",
    "ArgsError",
    "ArgsLike",
    "BatchOp",
    "Event",
    "HandlerNameError",
    "Hooks",
    "Machine",
    "MachineError",
    "MachineView",
    "Mutation",
    "MutationType",
    "NestedEvalError",
    "PipeRecord",
    "PipeRegistry",
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
